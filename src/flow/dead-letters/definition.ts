import { createHash } from 'node:crypto';
import { dirname, relative, resolve } from 'node:path';
import { isCredential } from '../../core/credentials.ts';
import type { IntegrationSource } from '../../core/written.ts';

/** The text of an integration with all that it refers to, so that it can be compiled again when the files are others. */
export interface Definition {
  readonly hash: string;
  /** The integration's own file is the first. Of private keys only the names are kept. Paths are relative to its folder: it may be another one by then. */
  readonly files: readonly { readonly path: string; readonly text?: string }[];
}

export function definitionOf({ file, texts }: Pick<IntegrationSource, 'file' | 'texts'>): Definition {
  const folder = dirname(file);
  const files = [...texts].map(([absolute, text], index) => {
    const path = relative(folder, absolute);
    return index > 0 && isCredential(text) ? { path } : { path, text };
  });
  return { hash: createHash('sha256').update(JSON.stringify(files)).digest('base64url'), files };
}

/** By absolute path, in the place of the files that are there now. */
export function textsOf({ files }: Definition, file: string): ReadonlyMap<string, string> {
  const folder = dirname(file);
  // The integration's own may be called otherwise by now.
  return new Map(
    files.flatMap(({ path, text }, index) =>
      text === undefined ? [] : [[index === 0 ? file : resolve(folder, path), text]],
    ),
  );
}

/** Absolute paths of the files that are not kept: those of today serve. */
export function credentialsOf({ files }: Definition, file: string): readonly string[] {
  return files.flatMap(({ path, text }) => (text === undefined ? [resolve(dirname(file), path)] : []));
}
