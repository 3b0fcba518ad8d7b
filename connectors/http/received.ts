import { Readable } from 'node:stream';
import { BodyBytes } from './body-bytes.ts';

/** The pieces of bodies that came in as streams, and whose they are. */
const origins = new WeakMap<Uint8Array, Received>();

/**
 * A body on its way in. Whoever only writes it on says so, and the memory of each piece is free as soon as the operating
 * system has its bytes: a relay of any size leaves nothing to be collected.
 */
export abstract class Received extends Readable {
  #writtenOn = false;

  constructor() {
    super({ highWaterMark: 64 * 1024 });
  }

  /** To be said by who takes the stream, looks at no piece again, and calls what {@link onceWritten} gives for each. */
  writeOn(): void {
    this.#writtenOn = true;
  }

  get isWrittenOn(): boolean {
    return this.#writtenOn;
  }

  /** One more piece, whose memory nobody else uses. False when the reader is slower. */
  receive(piece: Uint8Array): boolean {
    origins.set(piece, this);
    return this.push(piece);
  }
}

/** What to call when the piece was written to a socket; `undefined`: nothing. */
export function onceWritten(piece: Uint8Array): ((error?: Error | null) => void) | undefined {
  if (!origins.get(piece)?.isWrittenOn) return undefined;
  return (error) => {
    // After an error it is not known who still reads the bytes.
    if (!error) BodyBytes.giveBack(piece);
  };
}
