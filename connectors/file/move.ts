import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, rename, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { systemCode } from './file-failure.ts';

/** What lies beside a file, under its name and this ending. */
const noteEnding = '.error.json';

/**
 * Moves a file into `folder` and returns where it is. Never overwrites: a name that is taken gets a time. `note` is
 * written beside it, and is there before the file is.
 */
export async function moveInto(
  folder: string,
  file: { readonly from: string; readonly name: string; readonly at: number },
  note?: string,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (let tried = 0; ; tried++) {
    const to = join(folder, named(file.name, file.at, tried));
    if (await isPlaced(file.from, to, note)) return to;
  }
}

/** A name that is free: as it is, else with a time, else with a time and a number. */
function named(name: string, at: number, tried: number): string {
  if (tried === 0) return name;
  const extension = extname(name);
  const stem = name.slice(0, name.length - extension.length);
  const time = new Date(at).toISOString().replaceAll(':', '-').replace('.', '-');
  return `${stem}.${time}${tried === 1 ? '' : `-${tried}`}${extension}`;
}

/** `false` = the name is taken. */
async function isPlaced(from: string, to: string, note: string | undefined): Promise<boolean> {
  let noted = false;
  try {
    if (note !== undefined) {
      await writeFile(`${to}${noteEnding}`, note, { flag: 'wx' });
      noted = true;
    }
    await place(from, to);
    return true;
  } catch (thrown) {
    if (noted) await unlink(`${to}${noteEnding}`).catch(() => undefined);
    if (systemCode(thrown) === 'EEXIST') return false;
    throw thrown;
  }
}

/** Where hard links are not possible: not on this file system, or not for a file of another user. */
const noLinks = new Set(['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Throws `EEXIST` where there is something. A link in between, because a rename would replace that. */
async function place(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (thrown) {
    const code = systemCode(thrown) ?? '';
    if (code === 'EXDEV') return across(from, to);
    if (noLinks.has(code)) return reserved(from, to);
    throw thrown;
  }
  await unlink(from).catch(async (thrown: unknown) => {
    await unlink(to).catch(() => undefined);
    throw thrown;
  });
}

/** An empty file holds the name until the rename replaces it. */
async function reserved(from: string, to: string): Promise<void> {
  const handle = await open(to, 'wx');
  await handle.close();
  await rename(from, to).catch(async (thrown: unknown) => {
    await unlink(to).catch(() => undefined);
    throw thrown;
  });
}

/** Into another file system: copied under a hidden name, and only then seen. */
async function across(from: string, to: string): Promise<void> {
  const half = await copied(from, (tried) => join(dirname(to), `.${basename(to)}.${tried}.part`));
  try {
    const handle = await open(half, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await place(half, to);
  } catch (thrown) {
    await unlink(half).catch(() => undefined);
    throw thrown;
  }
  await unlink(from);
}

async function copied(from: string, pathFor: (tried: number) => string): Promise<string> {
  for (let tried = 0; ; tried++) {
    const path = pathFor(tried);
    try {
      await copyFile(from, path, constants.COPYFILE_EXCL);
      return path;
    } catch (thrown) {
      // Another process is copying a file of the same name, or died over it.
      if (systemCode(thrown) === 'EEXIST') continue;
      await unlink(path).catch(() => undefined);
      throw thrown;
    }
  }
}
