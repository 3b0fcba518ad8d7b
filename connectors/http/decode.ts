import { Readable, type Transform } from 'node:stream';
import { Failure } from '#sdk';

/** More than this nobody applies; each costs memory. */
const mostCodings = 4;

/** What we can undo, as `accept-encoding` names it. */
export const knownCodings: readonly string[] = ['gzip', 'deflate', 'br', 'zstd'];

/** What is said of bodies that cannot be decoded. */
export interface Wording {
  /** There is no such coding, or there are too many. */
  readonly unknown: (encoding: string) => Failure;
  readonly unreadable: (detail: string, cause?: unknown) => Failure;
  /** Of what comes out, in bytes; absent: whoever collects it bounds it. */
  readonly most?: { readonly limit: number; readonly tooLarge: () => Failure };
}

/** The codings of a `content-encoding`, as they were applied (RFC 9110 §8.4). */
export const codingsOf = (encoding: string): readonly string[] =>
  encoding
    .toLowerCase()
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '' && one !== 'identity');

/**
 * We never ask for compressed answers; a service that compresses anyway is understood, and so is a client that does: a
 * body somebody looks at is never a gzip file. Bounded by back-pressure, and by `maxResponse` where an answer is collected.
 */
export function decodeContent(stream: Readable, encoding: string, wording: Wording): Readable {
  const codings = codingsOf(encoding);
  if (codings.length === 0) return stream;
  const decoders = codings.length > mostCodings ? [] : codings.toReversed().map(decoderOf);
  const known = decoders.filter((one) => one !== undefined);
  if (known.length !== codings.length) throw wording.unknown(encoding);
  return new Decoded(
    stream,
    known.map((make) => make()),
    wording,
  );
}

function decoderOf(coding: string): (() => Transform) | undefined {
  const zlib = process.getBuiltinModule('node:zlib');
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return () => zlib.createGunzip();
    case 'deflate':
      return () => zlib.createInflate();
    case 'br':
      return () => zlib.createBrotliDecompress();
    case 'zstd':
      return () => zlib.createZstdDecompress();
    default:
      return undefined;
  }
}

/** What comes out of the last decoder; an error or an early end of any part ends all of them, in our own words. */
class Decoded extends Readable {
  readonly #parts: readonly Readable[];
  readonly #last: Readable;
  #size = 0;

  constructor(source: Readable, decoders: readonly Transform[], { unreadable, most }: Wording) {
    super({ highWaterMark: 64 * 1024 });
    this.#last = decoders.reduce<Readable>((from, to) => from.pipe(to), source);
    this.#parts = [source, ...decoders];
    for (const part of this.#parts) {
      part.on('error', (error: Error) => {
        this.destroy(error instanceof Failure ? error : unreadable(error.message, error));
      });
    }
    source.on('close', () => {
      if (!source.readableEnded) this.destroy(unreadable('it ended too early'));
    });
    this.#last.on('data', (chunk: Buffer) => {
      this.#size += chunk.length;
      if (most && this.#size > most.limit) this.destroy(most.tooLarge());
      else if (!this.push(chunk)) this.#last.pause();
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
