import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { Body, type Failure, failure } from '#sdk';
import { contentTypeOf } from './content-type.ts';
import { fileFailure } from './file-failure.ts';

const chunkSize = 64 * 1024;

export interface Content {
  /** Where it is now. */
  readonly at: string;
  /** Where it was found: how messages call it. */
  readonly path: string;
  /** As it was called in the folder: says what type it has. */
  readonly name: string;
  readonly size: number;
}

const tooLarge = (limit: number): Failure => failure('too-large', { limit });

/**
 * A file as the body of a message: in memory when the flow looks at it, else a stream that opens it when somebody reads.
 * A file beyond `limit` is never read into memory; whoever looks at it gets the error.
 */
export async function bodyOf(
  file: Content,
  options: { readonly whole: boolean; readonly limit: number },
): Promise<Body> {
  const { size } = file;
  const type = contentTypeOf(file.name);
  if (options.whole && size <= options.limit) return Body.bytes(await readWhole(file), type);
  const stream = Readable.from(chunks(file), { objectMode: false, highWaterMark: chunkSize });
  return Body.stream({ stream, length: size, limit: options.limit, tooLarge }, type);
}

// Not through a link: what was a plain file when it was found may have been exchanged since.
const openPlain = (path: string): Promise<FileHandle> => open(path, constants.O_RDONLY | constants.O_NOFOLLOW);

async function readWhole(file: Content): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of chunks(file, file.size)) parts.push(part);
  const [only] = parts;
  return only && parts.length === 1 ? only : Buffer.concat(parts);
}

/** Exactly `size` bytes, or an error: a part must never be taken for the whole. */
async function* chunks({ at: from, path, size }: Content, most = chunkSize): AsyncGenerator<Buffer> {
  try {
    const handle = await openPlain(from);
    try {
      for (let at = 0; at < size; ) {
        const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(Math.min(most, size - at)), 0, null, at);
        if (bytesRead === 0) throw failure('file', { path, detail: 'it became shorter while it was read' });
        yield buffer.subarray(0, bytesRead);
        at += bytesRead;
      }
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    throw fileFailure(path, thrown);
  }
}
