import type { IncomingMessage } from 'node:http';
import { type Failure, failure } from '#sdk';
import type { BodyBytes } from './body-bytes.ts';
import { giveBack, Received } from './received.ts';

export const tooLarge = (limit: number): Failure => failure('too-large', { limit });

export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

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
  const collected = new Collected(declared, limit, done);
  request.on('data', (chunk: Buffer) => collected.add(chunk));
  if (declared === undefined) request.on('end', () => collected.end());
}

class Collected {
  readonly #declared: number | undefined;
  readonly #limit: number;
  readonly #done: (result: Buffer | Failure) => void;
  #chunks: Buffer[] | undefined;
  #size = 0;
  #over = false;

  constructor(declared: number | undefined, limit: number, done: (result: Buffer | Failure) => void) {
    this.#declared = declared;
    this.#limit = limit;
    this.#done = done;
  }

  add(chunk: Buffer): void {
    if (this.#over) return;
    this.#size += chunk.length;
    if (this.#size > this.#limit) this.#settle(tooLarge(this.#limit));
    // Node has counted already that no more can come: no need to wait for `end`.
    else if (this.#size === this.#declared) this.end(chunk);
    else if (this.#chunks) this.#chunks.push(chunk);
    else this.#chunks = [chunk];
  }

  end(last?: Buffer): void {
    if (this.#over) return;
    if (this.#chunks) this.#settle(this.#joined(last ? [...this.#chunks, last] : this.#chunks));
    else this.#settle(last ?? Buffer.alloc(0));
  }

  #joined(chunks: readonly Buffer[]): Buffer {
    const all = Buffer.concat(chunks, this.#size);
    for (const chunk of chunks) giveBack(chunk);
    return all;
  }

  #settle(result: Buffer | Failure): void {
    this.#over = true;
    this.#chunks = undefined;
    this.#done(result);
  }
}

/**
 * A request's body as a stream, cut when it exceeds the limit. Not the request itself: destroying that would close the
 * connection on which the error still has to be answered.
 */
export class Upload extends Received {
  readonly #request: IncomingMessage;
  readonly #limit: number;
  readonly #bodyBytes: BodyBytes;
  readonly #beforeRead: (() => void) | undefined;
  #size = 0;
  #flowing = false;

  /** `beforeRead` is called once, before the first byte is asked for. */
  constructor(request: IncomingMessage, limit: number, bodyBytes: BodyBytes, beforeRead: (() => void) | undefined) {
    super();
    this.#request = request;
    this.#limit = limit;
    this.#bodyBytes = bodyBytes;
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
    this.#bodyBytes.add(chunk.length);
    if (this.#size > this.#limit) this.destroy(tooLarge(this.#limit));
    else if (!this.receive(chunk)) this.#request.pause();
  }
}
