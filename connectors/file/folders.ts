import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Failure, failure } from '#sdk';
import type { FileSourceOptions } from './definition.ts';
import { systemCode, systemDetail } from './file-failure.ts';

/** Where the files of a source go; `done` is absent where they are deleted. */
export interface Folders {
  readonly inbox: string;
  readonly done: string | undefined;
  readonly failed: string;
}

const unusable = (path: string, flow: string, thrown: unknown, advice = ''): Failure =>
  failure(
    'startup',
    { what: `The folder ${path} of the flow \`${flow}\``, detail: `${systemDetail(thrown)}${advice}` },
    { cause: thrown },
  );

/** Finds out at start, not at the first message, that a folder cannot be used. */
export async function openFolders(options: FileSourceOptions, flow: string): Promise<Folders> {
  const { path } = options;
  const folders: Folders = {
    inbox: path,
    done: options.done?.delete ? undefined : (options.done?.folder ?? join(path, '.done')),
    failed: options.failed ?? join(path, '.failed'),
  };
  try {
    if (!(await stat(path)).isDirectory()) throw new Error('it is not a folder');
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === 'ENOENT') throw unusable(path, flow, thrown, ': make it, or correct `path`');
    if (code === 'EACCES') throw unusable(path, flow, thrown, ': the process must read it and move its files');
    throw unusable(path, flow, thrown);
  }
  for (const folder of [folders.done, folders.failed]) {
    if (folder === undefined) continue;
    try {
      await mkdir(folder, { recursive: true });
      await access(folder, constants.W_OK | constants.X_OK);
    } catch (thrown) {
      throw unusable(folder, flow, thrown);
    }
  }
  return folders;
}
