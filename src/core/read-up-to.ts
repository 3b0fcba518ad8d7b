import type { Readable } from 'node:stream';
import { failure } from '../errors.ts';
import { Body } from './body.ts';
import type { Life } from './life.ts';

/**
 * A body that is not longer than `most` is read to its end; a longer one stays a stream, of which nothing is missing.
 * Rejects with why it broke off; waiting for it ends with `life`. `answeredBy`: as of {@link Body.stream}.
 */
export async function readUpTo(body: Body, most: number, life: Life, answeredBy: string): Promise<Body> {
  if (!body.isStream || (body.length ?? 0) > most) return body;
  const { contentType } = body;
  const source = body.takeStream();
  if (!source) return body;
  const leave = life.onAbort((reason) => source.stream.destroy(reason));
  const bytes = await collected(source.stream, most).finally(leave);
  return bytes ? Body.bytes(bytes, contentType, answeredBy) : Body.stream(source, contentType, answeredBy);
}

/** `undefined`: there is more, and what was read of it is given back. */
function collected(stream: Readable, most: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    // Not by `data` events: a stream that was paused would stay so for whoever reads it next.
    const read = (): void => {
      for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read()) {
        chunks.push(chunk);
        size += chunk.length;
        if (size <= most) continue;
        leave();
        stream.unshift(Buffer.concat(chunks, size));
        resolve(undefined);
        return;
      }
    };
    const end = (): void => {
      leave();
      resolve(Buffer.concat(chunks, size));
    };
    const fail = (error: Error): void => {
      leave();
      reject(error);
    };
    const close = (): void => fail(failure('connection', { detail: 'the answer ended too early', sent: true }));
    const leave = (): void => {
      stream.off('readable', read);
      stream.off('end', end);
      stream.off('error', fail);
      stream.off('close', close);
    };
    stream.on('readable', read);
    stream.on('end', end);
    stream.on('error', fail);
    stream.on('close', close);
  });
}
