import type { Readable } from 'node:stream';
import {
  Body,
  type Exchange,
  Failure,
  failure,
  type Giving,
  type Headers,
  httpFailure,
  type Life,
  noHeaders,
} from '#sdk';
import type { Authorize } from './auth/authorize.ts';
import type { Sign } from './auth/aws-signer.ts';
import type { BodyBytes } from './body-bytes.ts';
import { decodeContent } from './decode.ts';
import { fromNetwork } from './network-error.ts';
import type { Dispatcher } from './pool.ts';
import { Received, smallBody } from './received.ts';
import type { Operation } from './request.ts';

type Controller = Dispatcher.DispatchController;

/** What the attempts of one endpoint share. */
export interface Settings {
  readonly endpoint: string;
  readonly maxResponse: number;
  /** Replaces the media type of answers. */
  readonly mediaType: string | undefined;
  readonly bodyBytes: BodyBytes;
  /** Absent: the credentials of every request are those of its template. */
  readonly authorize: Authorize | undefined;
  /** The service wants each request signed. */
  readonly sign: Sign | undefined;
}

/** The message that made a request, and what becomes of it. */
interface Waiting {
  readonly exchange: Exchange;
  readonly resolve: (exchange: Exchange) => void;
  readonly reject: (reason: Failure) => void;
}

/** One request and its answer, as undici reports it. Settles once: with the exchange that carries the answer, or a Failure. */
export class Attempt implements Dispatcher.DispatchHandler, Giving {
  place = -1;
  readonly #settings: Settings;
  readonly #method: string;
  readonly #life: Life;
  /** Who waits for the answer: not held any more while one streams to a slow client. */
  #waiting: Waiting | undefined;
  #controller: Controller | undefined;
  #reason: Failure | undefined;
  #status = 0;
  #headers: Headers = noHeaders;
  #refused = false;
  #chunks: Buffer[] | undefined;
  #size = 0;
  #stream: Answer | undefined;

  constructor(settings: Settings, method: string, waiting: Waiting) {
    this.#settings = settings;
    this.#method = method;
    this.#waiting = waiting;
    this.#life = waiting.exchange.life;
    this.#life.listen(this);
  }

  /** The message is given up. */
  abort(reason: Failure): void {
    this.#reason = reason;
    if (this.#controller) this.#controller.abort(reason);
    // Still waits for a connection: `onRequestStart` will turn it away.
    else this.#reject(reason);
  }

  fail(reason: Failure): void {
    this.#life.leave(this);
    this.#reject(reason);
  }

  onRequestStart(controller: Controller): void {
    // Thrown, not `controller.abort`: that would close the connection although nothing was written to it.
    if (this.#reason) throw this.#reason;
    this.#controller = controller;
  }

  onResponseStart(controller: Controller, status: number, received: object): void {
    if (status < 200) return;
    const headers = received as Headers;
    this.#status = status;
    this.#headers = headers;
    this.#refused = !isExpected(status, (this.#waiting?.exchange.operation as Operation | undefined)?.expect);
    if (this.#refused || this.#method === 'HEAD' || status === 204 || status === 304) return;
    const encoding = headers['content-encoding'];
    const length = headers['content-length'];
    if (encoding !== undefined) this.#startStream(controller, undefined, String(encoding));
    else if (typeof length === 'string' && Number(length) > this.#small) this.#startStream(controller, Number(length));
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#settings.bodyBytes.add(chunk.length);
    if (this.#stream) {
      if (!this.#stream.receive(chunk)) controller.pause();
      return;
    }
    this.#size += chunk.length;
    if (this.#refused) {
      // Read to its end, so that the connection can be used again; but not for ever.
      if (this.#size > smallBody) controller.abort(this.#unexpected());
      return;
    }
    if (this.#chunks) this.#chunks.push(chunk);
    else this.#chunks = [chunk];
    if (this.#size > this.#small) this.#startStream(controller, undefined);
  }

  onResponseEnd(): void {
    this.#life.leave(this);
    if (this.#stream) this.#stream.push(null);
    else if (this.#refused) this.#reject(this.#unexpected());
    else this.#succeed(this.#whole());
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    this.#life.leave(this);
    const reason = this.#reason ?? fromNetwork(error, this.#settings.endpoint, this.#controller !== undefined);
    this.#stream?.destroy(reason);
    this.#reject(reason);
  }

  /** What is larger than may be looked at stays a stream, which can still be relayed. */
  get #small(): number {
    return Math.min(smallBody, this.#settings.maxResponse);
  }

  #whole(): Body {
    const chunks = this.#chunks;
    if (!chunks) return Body.empty;
    const [first] = chunks;
    const bytes = chunks.length === 1 && first ? first : Buffer.concat(chunks, this.#size);
    return Body.bytes(bytes, this.#contentType(), this.#settings.endpoint);
  }

  #startStream(controller: Controller, length: number | undefined, encoding?: string): void {
    const { endpoint, maxResponse: limit } = this.#settings;
    const answer = new Answer(controller);
    let stream: Readable = answer;
    if (encoding !== undefined) {
      const unreadable = (detail: string, cause?: unknown): Failure =>
        failure('invalid-response', { endpoint, detail }, { cause });
      const unknown = (): Failure => unreadable(`its content encoding ${JSON.stringify(encoding)} is not known`);
      stream = decodeContent(answer, encoding, { unknown, unreadable });
      const { 'content-encoding': _, 'content-length': __, ...rest } = this.#headers;
      this.#headers = rest;
    }
    this.#stream = answer;
    let full = false;
    for (const chunk of this.#chunks ?? []) full = !answer.receive(chunk);
    if (full) controller.pause();
    this.#chunks = undefined;
    const tooLarge = (limit: number): Failure => failure('response-too-large', { endpoint, limit });
    this.#succeed(Body.stream({ stream, length, limit, tooLarge }, this.#contentType(), endpoint));
  }

  #succeed(body: Body): void {
    const headers = this.#headers;
    const response = { status: this.#status, headers, endpoint: this.#settings.endpoint };
    const waiting = this.#waiting;
    waiting?.resolve(waiting.exchange.withAnswer({ body, headers, ownHeaders: noHeaders, response }));
    this.#waiting = undefined;
  }

  #reject(reason: Failure): void {
    this.#waiting?.reject(reason);
    this.#waiting = undefined;
  }

  #unexpected(): Failure {
    const retryAfter = millisecondsOf(this.#headers['retry-after'], this.#life.clock.now());
    const facts = { endpoint: this.#settings.endpoint, method: this.#method };
    return httpFailure(this.#status, retryAfter === undefined ? facts : { ...facts, retryAfter });
  }

  #contentType(): string | undefined {
    const named = this.#headers['content-type'];
    const given = typeof named === 'string' ? named : named?.[0];
    const { mediaType } = this.#settings;
    if (mediaType === undefined) return given;
    const charset = /;\s*charset=[^;]+/i.exec(given ?? '')?.[0] ?? '';
    return mediaType + charset;
  }
}

export function isExpected(status: number, expect: Operation['expect']): boolean {
  if (expect === undefined) return status >= 200 && status < 300;
  return expect.some((one) => Number(one) === status || one === `${Math.floor(status / 100)}xx`);
}

/** An answer as a stream: reading it paces the connection, giving it up closes it. */
class Answer extends Received {
  readonly #controller: Controller;

  constructor(controller: Controller) {
    super();
    this.#controller = controller;
  }

  override _read(): void {
    this.#controller.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (!this.readableEnded && !this.#controller.aborted) {
      this.#controller.abort(
        error instanceof Failure ? error : failure('aborted', { detail: 'nobody reads the answer' }),
      );
    }
    callback(error);
  }
}

/** `Retry-After` (RFC 9110 §10.2.3): seconds, or a date. */
export function millisecondsOf(header: string | readonly string[] | undefined, now: number): number | undefined {
  if (typeof header !== 'string') return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
