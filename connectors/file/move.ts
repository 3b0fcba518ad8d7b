import { copyFile, mkdir, open, rename, unlink } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { systemCode } from './file-failure.ts';

/** A name that is free: as it is, else with a time, else with a time and a number. */
function named(name: string, at: number, tried: number): string {
  if (tried === 0) return name;
  const extension = extname(name);
  const stem = name.slice(0, name.length - extension.length);
  const time = new Date(at).toISOString().replaceAll(':', '-').replace('.', '-');
  return `${stem}.${time}${tried === 1 ? '' : `-${tried}`}${extension}`;
}

async function reserve(folder: string, name: string, at: number): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (let tried = 0; ; tried++) {
    const path = join(folder, named(name, at, tried));
    try {
      const handle = await open(path, 'wx');
      await handle.close();
      return path;
    } catch (thrown) {
      if (systemCode(thrown) !== 'EEXIST') throw thrown;
    }
  }
}

async function across(from: string, to: string): Promise<void> {
  const half = `${to}.part`;
  try {
    await copyFile(from, half);
    const handle = await open(half, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(half, to);
  } catch (thrown) {
    await unlink(half).catch(() => undefined);
    throw thrown;
  }
  await unlink(from);
}

/**
 * Moves a file into `folder` and returns where it is. Never overwrites: the name is reserved by an empty file first, then
 * the rename replaces that. (A hard link would need no reservation, but is refused for files of other users.) `beside` is
 * called in between: what it writes is there before the file is.
 */
export async function moveInto(
  folder: string,
  file: { readonly from: string; readonly name: string; readonly at: number },
  beside?: (path: string) => Promise<void>,
): Promise<string> {
  const to = await reserve(folder, file.name, file.at);
  try {
    await beside?.(to);
    await rename(file.from, to).catch((thrown: unknown) => {
      if (systemCode(thrown) !== 'EXDEV') throw thrown;
      return across(file.from, to);
    });
  } catch (thrown) {
    await unlink(to).catch(() => undefined);
    throw thrown;
  }
  return to;
}
