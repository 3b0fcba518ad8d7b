import { Readable, type Transform } from 'node:stream';
import { Failure, failure } from '#sdk';

/** More than this nobody applies; each costs memory. */
const mostCodings = 4;

/**
 * We never ask for compressed answers; a service that compresses anyway is understood, so that a body somebody looks at
 * is never a gzip file. Bounded by back-pressure, and by `maxResponse` where the result is collected.
 */
export function decodeContent(stream: Readable, encoding: string, endpoint: string): Readable {
  const codings = encoding
    .toLowerCase()
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '' && one !== 'identity');
  if (codings.length === 0) return stream;
  if (codings.length > mostCodings) throw unreadable(endpoint, `it was encoded ${codings.length} times`);
  // The last one named was applied last (RFC 9110 §8.4).
  return new Decoded(
    stream,
    codings.reverse().map((name) => decoder(name, endpoint)),
    endpoint,
  );
}

function decoder(name: string, endpoint: string): Transform {
  const zlib = process.getBuiltinModule('node:zlib');
  switch (name) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip();
    case 'deflate':
      return zlib.createInflate();
    case 'br':
      return zlib.createBrotliDecompress();
    case 'zstd':
      return zlib.createZstdDecompress();
    default:
      throw unreadable(endpoint, `its content encoding ${JSON.stringify(name)} is not known`);
  }
}

const unreadable = (endpoint: string, detail: string, cause?: unknown): Failure =>
  failure('invalid-response', { endpoint, detail }, { cause });

/** What comes out of the last decoder; an error or an early end of any part ends all of them, in our own words. */
class Decoded extends Readable {
  readonly #parts: readonly Readable[];
  readonly #last: Readable;

  constructor(source: Readable, decoders: readonly Transform[], endpoint: string) {
    super({ highWaterMark: 64 * 1024 });
    this.#last = decoders.reduce<Readable>((from, to) => from.pipe(to), source);
    this.#parts = [source, ...decoders];
    for (const part of this.#parts) {
      part.on('error', (error: Error) => {
        this.destroy(error instanceof Failure ? error : unreadable(endpoint, error.message, error));
      });
    }
    source.on('close', () => {
      if (!source.readableEnded) this.destroy(unreadable(endpoint, 'it ended too early'));
    });
    this.#last.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) this.#last.pause();
    });
    this.#last.on('end', () => this.push(null));
    this.#last.pause();
  }

  override _read(): void {
    this.#last.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    for (const part of this.#parts) part.destroy();
    callback(error);
  }
}
