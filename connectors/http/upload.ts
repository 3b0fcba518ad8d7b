import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { type Failure, failure } from '#sdk';
import type { RelayedBytes } from './relayed-bytes.ts';

export const tooLarge = (limit: number): Failure => failure('too-large', { limit });

/**
 * Collects a request's body by its `data` events, which costs less than any other way of reading it. `done` is called
 * once; never when the client goes away before.
 */
export function collect(
  request: IncomingMessage,
  declared: number | undefined,
  limit: number,
  done: (result: Buffer | Failure) => void,
): void {
  let chunks: Buffer[] = [];
  let size = 0;
  let over = false;

  const finish = (): void => {
    if (over) return;
    over = true;
    const [first] = chunks;
    done(chunks.length === 1 && first ? first : Buffer.concat(chunks, size));
  };
  request.on('data', (chunk: Buffer) => {
    if (over) return;
    size += chunk.length;
    if (size > limit) {
      over = true;
      chunks = [];
      done(tooLarge(limit));
      return;
    }
    chunks.push(chunk);
    // Node has counted already that no more can come: no need to wait for `end`.
    if (size === declared) finish();
  });
  if (declared === undefined) request.on('end', finish);
}

/**
 * A request's body as a stream, cut when it exceeds the limit. Not the request itself: destroying that would close the
 * connection on which the error still has to be answered.
 */
export class Upload extends Readable {
  readonly #request: IncomingMessage;
  readonly #limit: number;
  readonly #relayed: RelayedBytes;
  readonly #beforeRead: (() => void) | undefined;
  #size = 0;
  #flowing = false;

  /** `beforeRead` is called once, before the first byte is asked for. */
  constructor(request: IncomingMessage, limit: number, relayed: RelayedBytes, beforeRead: (() => void) | undefined) {
    super({ highWaterMark: 64 * 1024 });
    this.#request = request;
    this.#limit = limit;
    this.#relayed = relayed;
    this.#beforeRead = beforeRead;
  }

  override _read(): void {
    if (this.#flowing) {
      this.#request.resume();
      return;
    }
    this.#flowing = true;
    this.#beforeRead?.();
    this.#request.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#request.on('end', () => this.push(null));
  }

  #take(chunk: Buffer): void {
    if (this.destroyed) return;
    this.#size += chunk.length;
    this.#relayed.add(chunk.length);
    if (this.#size > this.#limit) this.destroy(tooLarge(this.#limit));
    else if (!this.push(chunk)) this.#request.pause();
  }
}
