import { type FileHandle, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { Failure, failure, type StreamSource } from '#sdk';
import { systemCode } from './file-failure.ts';
import { sync, syncFolder } from './sync.ts';

export interface Replacement {
  readonly path: string;
  readonly content: Uint8Array | string | StreamSource;
  /** Tells the half-written file apart from those of others. */
  readonly id: string;
  readonly sync: boolean;
  readonly signal: AbortSignal;
}

/** Writes a file so that nobody ever sees a part of it: in full under another, hidden name, then renamed. */
export async function replaceFile(replacement: Replacement): Promise<void> {
  const { path, id, signal } = replacement;
  const folder = dirname(path);
  const half = join(folder, `.${id}.part`);
  const handle = await create(half, folder);
  try {
    try {
      await write(handle, replacement);
      if (replacement.sync) await sync(handle);
    } finally {
      await handle.close();
    }
    signal.throwIfAborted();
    await rename(half, path);
  } catch (thrown) {
    await unlink(half).catch(() => undefined);
    throw thrown;
  }
  if (replacement.sync) await syncFolder(folder);
}

async function create(path: string, folder: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx');
  } catch (thrown) {
    if (systemCode(thrown) !== 'ENOENT') throw thrown;
  }
  await mkdir(folder, { recursive: true });
  return open(path, 'wx');
}

async function write(handle: FileHandle, { content, signal }: Replacement): Promise<void> {
  if (typeof content === 'string' || content instanceof Uint8Array) {
    await handle.writeFile(content, { signal });
    return;
  }
  const { stream, length } = content;
  let size = 0;
  const leave = (): void => {
    stream.destroy(signal.reason);
  };
  signal.addEventListener('abort', leave, { once: true });
  try {
    for await (const chunk of arriving(stream)) {
      size += chunk.length;
      await handle.writeFile(chunk);
    }
  } finally {
    signal.removeEventListener('abort', leave);
  }
  signal.throwIfAborted();
  if (length !== undefined && size !== length) throw brokenOff(`${size} of ${length} bytes arrived`);
}

const brokenOff = (detail: string, cause?: unknown): Failure =>
  failure('invalid-response', { endpoint: 'The sender', detail: `its body broke off: ${detail}` }, { cause });

/** An error of the stream must not be taken for one of the file. */
async function* arriving(stream: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* stream as AsyncIterable<Uint8Array>;
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    throw brokenOff(thrown instanceof Error ? thrown.message : String(thrown), thrown);
  }
}
