import { Readable } from 'node:stream';

/** Up to here a body is collected, which costs less than a stream; more is relayed as one. */
export const smallBody = 64 * 1024;

/** What becomes of the pieces of one body. Of its own, so that a piece that is kept keeps nothing of its connection. */
interface Use {
  writtenOn: boolean;
}

/** The pieces of bodies that came in as streams. */
const uses = new WeakMap<Uint8Array, Use>();

/**
 * A body on its way in. Whoever only writes it on says so, and the memory of its pieces is free as soon as they are written:
 * a relay leaves nothing to be collected. Not so where the far side sends chunks (RFC 9112 §7.1) that are smaller than what is
 * read at once: several share one memory.
 */
export abstract class Received extends Readable {
  readonly #use: Use = { writtenOn: false };

  constructor() {
    super({ highWaterMark: smallBody });
  }

  /**
   * To be said by who takes the stream, before the first piece: all of it goes to one socket, in the order in which it came;
   * nobody looks at a piece again; and what {@link onceWritten} gives for each is called.
   */
  writeOn(): void {
    this.#use.writtenOn = true;
  }

  /** One more piece. False when the reader is slower. */
  receive(piece: Uint8Array): boolean {
    uses.set(piece, this.#use);
    return this.push(piece);
  }
}

/** What to call when the piece was written to a socket; `undefined`: nothing. */
export function onceWritten(piece: Uint8Array): ((error?: Error | null) => void) | undefined {
  if (!uses.get(piece)?.writtenOn) return undefined;
  return (error) => {
    // After an error it is not known who still reads the bytes.
    if (!error) giveBack(piece);
  };
}

/**
 * Frees the memory in which a piece stands at once, without waiting for a collection: nobody may look at it again, nor at what
 * stands before it in the same memory. That is the head of the answer and earlier pieces of the same body, for every connection
 * carries one request at a time (`pipelining: 1`). Nothing happens where something stands behind it, or where the memory may be
 * the pool in which node keeps small pieces of anybody.
 */
export function giveBack({ buffer, byteOffset, length }: Uint8Array): void {
  const isLast = byteOffset + length === buffer.byteLength;
  const isPooled = byteOffset > 0 && length < Buffer.poolSize >>> 1;
  if (isLast && !isPooled && buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
