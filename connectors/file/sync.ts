import { type FileHandle, open } from 'node:fs/promises';
import { systemCode } from './file-failure.ts';

/** Pipes and terminals keep nothing, and say so by these. */
const notSyncable = new Set(['EINVAL', 'ENOTSUP', 'EROFS']);

/** To the disk. */
export async function sync(handle: FileHandle): Promise<void> {
  try {
    await handle.datasync();
  } catch (thrown) {
    if (!notSyncable.has(systemCode(thrown) ?? '')) throw thrown;
  }
}

/** A name in a folder is on the disk only when the folder is. Some file systems cannot do that, and need not. */
export async function syncFolder(path: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (thrown) {
    if (process.platform === 'win32') return;
    throw thrown;
  }
  try {
    await sync(handle);
  } finally {
    await handle.close();
  }
}
