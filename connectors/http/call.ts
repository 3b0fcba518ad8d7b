import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  Body,
  type Deliver,
  type Exchange,
  type Failure,
  failure,
  type Headers,
  type Life,
  type SourceContext,
  toFailure,
} from '#sdk';
import { type Answer, answerOf, pour } from './answer.ts';
import type { Connection, Serving } from './connection.ts';
import type { Cors } from './cors.ts';
import { problemOf, problemType } from './problem.ts';
import type { Params } from './routes.ts';
import { type ReadTarget, readQuery } from './target.ts';
import { collect, tooLarge, Upload } from './upload.ts';

/** Above this a body is relayed as a stream; below, collecting it costs less. */
const smallBody = 64 * 1024;

/** How long the rest of an upload is read after its request was answered: a client that still writes misses the answer else. */
const lingerMs = 2_000;

type Services = SourceContext['services'];

/** What serves a route. */
export interface Route {
  readonly deliver: Deliver;
  readonly services: Services;
  readonly maxBody: number;
  readonly needsWholeBody: boolean;
  readonly cors: Cors | undefined;
}

/** One request from its first header to the last byte of its answer. */
export class Call implements Serving {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #connection: Connection;
  readonly #services: Services;
  readonly #closing: () => boolean;
  #route: Route | undefined;
  #awaitsContinue: boolean;
  #upload: Upload | undefined;
  #life: Life | undefined;
  #id: string | undefined;
  #over = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    connection: Connection,
    context: { readonly services: Services; readonly closing: () => boolean; readonly awaitsContinue: boolean },
  ) {
    this.#request = request;
    this.#response = response;
    this.#connection = connection;
    this.#services = context.services;
    this.#closing = context.closing;
    this.#awaitsContinue = context.awaitsContinue;
    connection.serving.add(this);
  }

  get complete(): boolean {
    return this.#request.complete;
  }

  gone(): void {
    if (this.#over) return;
    this.#over = true;
    const reason = failure('aborted');
    this.#upload?.destroy(reason);
    this.#life?.abort(reason);
  }

  /** Hands the request to its flow and answers with what comes back. Throws what is wrong with the request. */
  run(route: Route, target: ReadTarget, params: Params): void {
    this.#route = route;
    const request = this.#request;
    const query = readQuery(target.query);
    if (query === undefined) throw failure('bad-request', { detail: 'the query is not percent-encoded UTF-8' });
    const length = request.headers['content-length'];
    const declared = length === undefined ? undefined : Number(length);
    const chunked = request.headers['transfer-encoding'] !== undefined;
    if (declared !== undefined && declared > route.maxBody) throw tooLarge(route.maxBody);
    const origin = {
      params,
      query,
      source: {
        method: request.method,
        path: target.path,
        url: request.url,
        remoteAddress: this.#connection.remoteAddress,
      },
      receivedAt: this.#services.clock.now(),
      attempt: 1,
    };
    const type = request.headers['content-type'];
    if (!chunked && !declared) {
      this.#deliver(Body.empty, origin);
      return;
    }
    if (!route.needsWholeBody && (chunked || (declared ?? 0) > smallBody)) {
      const { maxBody } = route;
      this.#upload = new Upload(request, maxBody, this.#awaitsContinue ? () => this.#continue() : undefined);
      const body = Body.stream({ stream: this.#upload, length: declared, limit: maxBody, tooLarge }, type);
      this.#deliver(body, origin);
      return;
    }
    if (this.#awaitsContinue) this.#continue();
    collect(request, declared, route.maxBody, (result) => {
      if (result instanceof Uint8Array) this.#deliver(Body.bytes(result, type), origin);
      else this.refuse(result);
    });
  }

  #continue(): void {
    this.#awaitsContinue = false;
    this.#response.writeContinue();
  }

  #deliver(body: Body, origin: Parameters<Deliver>[0]['origin']): void {
    const route = this.#route;
    if (this.#over || !route) return;
    let delivered: Promise<Exchange | undefined>;
    try {
      delivered = route.deliver({
        body,
        headers: ownHeaders(this.#request),
        origin,
        deadline: deadlineOf(this.#request),
        onStart: (life, id) => {
          this.#life = life;
          this.#id = id;
        },
      });
    } catch (thrown) {
      this.refuse(toFailure(thrown));
      return;
    }
    delivered.then(
      (exchange) => this.#reply(exchange),
      (thrown: unknown) => this.refuse(toFailure(thrown)),
    );
  }

  #reply(exchange: Exchange | undefined): void {
    if (this.#over) {
      exchange?.body.discard();
      return;
    }
    if (exchange === undefined) {
      this.#write({ status: 204, headers: this.#id === undefined ? [] : ['x-request-id', this.#id], body: undefined });
      return;
    }
    try {
      const answer = answerOf(exchange);
      if (answer instanceof Promise) {
        answer.then(
          (one) => this.#write(one),
          (thrown: unknown) => this.refuse(toFailure(thrown)),
        );
      } else {
        this.#write(answer);
      }
    } catch (thrown) {
      this.refuse(toFailure(thrown));
    }
  }

  refuse(error: Failure): void {
    if (this.#over) return;
    if (this.#response.headersSent) {
      this.#response.destroy();
      return;
    }
    if (error.kind === 'bug') this.#log(error);
    const id = this.#id ?? this.#services.random.uuid();
    const problem = problemOf(error, id);
    const headers = ['x-request-id', id, 'content-type', problemType, ...problem.headers];
    headers.push('content-length', String(Buffer.byteLength(problem.text)));
    this.#write({ status: problem.status, headers, body: problem.text });
  }

  /** An answer that no flow gives: preflight and OPTIONS. */
  say(status: number, headers: readonly string[]): void {
    this.#write({ status, headers: [...headers], body: undefined });
  }

  /** For routes that are known before the flow runs, so that problems carry their CORS headers too. */
  at(route: Route): void {
    this.#route = route;
  }

  #write({ status, headers, body }: Answer): void {
    if (this.#over) {
      if (typeof body === 'object' && 'stream' in body) body.stream.destroy();
      return;
    }
    const response = this.#response;
    const cors = this.#route?.cors;
    if (cors) headers.push(...cors.answer(this.#request));
    // A client that was told to wait with its body may send it or not: the connection cannot be used again.
    const unfinished = this.#awaitsContinue || (!this.#request.complete && hasBody(this.#request));
    if (unfinished || this.#closing()) headers.push('connection', 'close');
    response.writeHead(status, headers);
    const head = this.#request.method === 'HEAD';
    if (body === undefined || head) {
      if (typeof body === 'object' && 'stream' in body) body.stream.destroy();
      this.#end(undefined, unfinished);
    } else if (typeof body === 'object' && 'stream' in body) {
      pour(body, response, () => this.#end(undefined, unfinished));
    } else {
      this.#end(body, unfinished);
    }
  }

  #end(body: Uint8Array | string | undefined, unfinished: boolean): void {
    const response = this.#response;
    if (!unfinished || this.#request.complete) {
      response.end(body);
      this.#finished();
      return;
    }
    // The whole answer is on its way; ending it would close the connection under a client that is still writing.
    if (body === undefined) response.flushHeaders();
    else response.write(body);
    const cancel = this.#services.clock.after(lingerMs, () => end(), true);
    const end = (): void => {
      cancel();
      response.end();
      this.#finished();
    };
    this.#upload?.destroy();
    this.#request.removeAllListeners('data');
    this.#request.once('end', end);
    this.#request.resume();
  }

  #finished(): void {
    if (this.#over) return;
    this.#over = true;
    this.#upload?.destroy();
    this.#connection.done(this);
  }

  #log(error: Failure): void {
    const cause = error.cause instanceof Error ? error.cause.stack : undefined;
    this.#services.log.error('a request ended with a bug', { id: this.#id, detail: error.message, cause });
  }
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

/** Node's own object, cut off from what every object inherits: `$headers.constructor` must be nothing. */
function ownHeaders(request: IncomingMessage): Headers {
  return Object.setPrototypeOf(request.headers, null) as Headers;
}

/** `x-request-deadline-ms`: how long the caller still waits, relative, for clocks differ. */
function deadlineOf(request: IncomingMessage): number | undefined {
  const text = request.headers['x-request-deadline-ms'];
  return typeof text === 'string' && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}
