import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { FileSource, Report } from '../core/written.ts';
import { nearest } from '../schema/nearest.ts';
import type { ScalarNode } from '../schema/node.ts';

const maxSize = 10 * 1024 * 1024;

/** Of files, by absolute path. */
export type Texts = ReadonlyMap<string, string>;

/** Files that the integration refers to, relative to its folder. */
export class ReferencedFiles {
  readonly #folder: string;
  /** In the place of the files themselves. */
  readonly #given: Texts | undefined;
  readonly #paths = new Set<string>();
  readonly #texts = new Map<string, string>();

  constructor(folder: string, given?: Texts) {
    this.#folder = folder;
    this.#given = given;
  }

  /** Absolute paths of all that were asked for, missing ones too: one may appear while somebody watches. */
  get paths(): readonly string[] {
    return [...this.#paths];
  }

  /** Of those that could be read, as they were read. */
  get texts(): Texts {
    return this.#texts;
  }

  resolve(path: string): string {
    return resolve(this.#folder, path);
  }

  read(path: string, node: ScalarNode, report: Report): FileSource | undefined {
    const absolute = this.resolve(path);
    this.#paths.add(absolute);
    const refuse = (code: string, message: string, suggestion?: string): undefined => {
      report({ severity: 'error', code, message, pointer: node.pointer, suggestion });
      return undefined;
    };
    const found = (text: string): FileSource => {
      this.#texts.set(absolute, text);
      return { path: absolute, text, pointer: node.pointer };
    };
    if (this.#given) {
      const text = this.#given.get(absolute);
      return text === undefined
        ? refuse('missing-file', `\`${path}\` is not among the files that were kept`)
        : found(text);
    }
    try {
      const stats = statSync(absolute);
      if (stats.isDirectory()) return refuse('is-directory', `\`${path}\` is a folder; a file is needed`);
      if (stats.size > maxSize)
        return refuse('file-too-large', `\`${path}\` is larger than 10 MiB, the limit for a file read at start`);
      return found(readFileSync(absolute, 'utf8').replace(/^\uFEFF/, ''));
    } catch (thrown) {
      const code = (thrown as NodeJS.ErrnoException).code;
      if (code !== 'ENOENT' && code !== 'ENOTDIR')
        return refuse('unreadable-file', `\`${path}\` cannot be read (${code})`);
      if (/^https?:\/\//.test(path)) {
        return refuse(
          'missing-file',
          `\`${path}\` is an address: files are read from the disk. Keep a copy beside this file`,
        );
      }
      const meant = this.#nearest(absolute);
      const hint =
        meant === undefined
          ? `: paths are relative to this file, so it would be ${absolute}`
          : `; did you mean \`${meant}\`?`;
      return refuse('missing-file', `There is no file \`${path}\`${hint}`, meant);
    }
  }

  #nearest(absolute: string): string | undefined {
    const folder = dirname(absolute);
    try {
      const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
      const name = nearest(
        basename(absolute),
        names.slice(0, 1000).map((entry) => entry.name),
      );
      if (name === undefined) return undefined;
      const path = relative(this.#folder, join(folder, name));
      return path.startsWith('.') ? path : `./${path}`;
    } catch {
      return undefined;
    }
  }
}
