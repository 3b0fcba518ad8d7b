import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Source } from '#sdk';
import type { FileSourceOptions } from '../../../../connectors/file/definition.ts';
import { openSource } from '../../../../connectors/file/source.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { eventually } from '../../../support/eventually.ts';
import { ManualFlow, type PlainContext, type PlainOptions, plainContext } from '../../../support/plain-context.ts';

/** A folder of its own for a test, removed behind it. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'dowel-file-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

export const defaults = {
  glob: '*',
  every: 5,
  settle: 0,
  maxAttempts: 5,
  retryDelay: 1,
  maxSize: 1_000_000,
} as const;

/** Visible and hidden names alike; a folder that is not there is empty. */
export const list = async (...path: string[]): Promise<readonly string[]> =>
  (await readdir(join(...path)).catch(() => [])).sort();

export class Inbox {
  readonly path: string;
  readonly #open: Source[] = [];
  readonly #flows: FileFlow[] = [];

  constructor(path: string) {
    this.path = path;
  }

  static async make(t: TestContext): Promise<Inbox> {
    const path = join(await temporaryFolder(t), 'in');
    await mkdir(path);
    const inbox = new Inbox(path);
    t.after(() => {
      for (const flow of inbox.#flows) for (const delivery of flow.deliveries) delivery.resolve();
      return inbox.close();
    });
    return inbox;
  }

  /** What it holds back at the end of the test is let go. */
  flow(): FileFlow {
    const flow = new FileFlow();
    this.#flows.push(flow);
    return flow;
  }

  put(name: string, content: string | Uint8Array = name): Promise<void> {
    return writeFile(join(this.path, name), content);
  }

  list(folder = ''): Promise<readonly string[]> {
    return list(this.path, folder);
  }

  read(...path: string[]): Promise<string> {
    return readFile(join(this.path, ...path), 'utf8');
  }

  /** What lies in the folder itself, waiting. */
  async waiting(): Promise<readonly string[]> {
    return (await this.list()).filter((name) => !name.startsWith('.'));
  }

  async source(
    options: Partial<FileSourceOptions> = {},
    settings: PlainOptions = {},
  ): Promise<{ readonly source: Source; readonly context: PlainContext }> {
    const context = plainContext({ clock: systemClock, needsWholeBody: true, ...settings });
    const source = await openSource({ path: this.path, ...defaults, ...options }, context);
    this.#open.push(source);
    return { source, context };
  }

  async close(): Promise<void> {
    for (const source of this.#open.splice(0)) await source.close();
  }
}

/** A flow settled by hand, with the names of the files that it was given. */
export class FileFlow extends ManualFlow {
  get names(): readonly unknown[] {
    return this.sources().map((source) => source?.['name']);
  }

  given(count: number): Promise<void> {
    return eventually(`${count} files were delivered`, () => this.deliveries.length >= count);
  }
}
