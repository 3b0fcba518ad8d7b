import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  Body,
  type Deliver,
  type Exchange,
  type Failure,
  failure,
  type Headers,
  type Incoming,
  type Life,
  type SourceContext,
  Trace,
  toFailure,
  type Wording,
} from '#sdk';
import { type Answer, answerOf, endWith, isStream, pour } from './answer.ts';
import type { Door, Entry, Knock } from './auth/door.ts';
import type { BodyBytes } from './body-bytes.ts';
import { Connection, type Serving } from './connection.ts';
import type { Cors } from './cors.ts';
import { decodedBody, isEncoded } from './decoded-body.ts';
import type { Patience } from './patience.ts';
import { addMissing, fieldsOf, problemOf } from './problem.ts';
import { smallBody } from './received.ts';
import { tellRefused } from './refused.ts';
import { requestIdOf } from './request-id.ts';
import type { RequestMeter } from './request-meter.ts';
import type { Params } from './routes.ts';
import { type ReadTarget, readQuery } from './target.ts';
import { collect, hasBody, tooLarge, Upload } from './upload.ts';

type Services = SourceContext['services'];

/** What serves a route. */
export interface Route {
  readonly deliver: Deliver;
  /** Who may come in; absent: everybody. */
  readonly door: Door | undefined;
  /** Instead of it, where the caller waits only until the message is kept: resolves with its id. */
  readonly accept: ((message: Incoming) => Promise<string>) | undefined;
  readonly services: Services;
  readonly maxBody: number;
  readonly needsWholeBody: boolean;
  readonly cors: Cors | undefined;
  readonly wording: Wording | undefined;
  readonly bodyBytes: BodyBytes;
  /** The path, as the file writes it. */
  readonly path: string;
  readonly flow: string;
}

/** What all requests of a port share. */
interface Port {
  readonly services: Services;
  readonly patience: Patience;
  readonly meter: RequestMeter;
  readonly draining: boolean;
  /** It speaks TLS. */
  readonly secure: boolean;
}

/** One request from its first header to the last byte of its answer. */
export class Call implements Serving {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #connection: Connection;
  readonly #port: Port;
  #route: Route | undefined;
  #awaitsContinue: boolean;
  /** No byte of the request is missing, though node may not have said so yet. */
  #whole = false;
  /** A flow has it, and says what becomes of it. */
  #begun = false;
  #broken = false;
  #upload: Upload | undefined;
  #life: Life | undefined;
  #id: string | undefined;
  /** What the caller calls the request. */
  #requestId: string | undefined;
  /** Raw pairs of the door for the answer. */
  #fields: readonly string[] | undefined;
  #over = false;
  readonly #since: number;

  constructor(request: IncomingMessage, response: ServerResponse, port: Port, awaitsContinue: boolean) {
    this.#request = request;
    this.#response = response;
    this.#port = port;
    this.#since = port.services.clock.monotonic();
    this.#awaitsContinue = awaitsContinue;
    this.#connection = Connection.of(request.socket);
    this.#connection.serving.push(this);
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

  broken(error: Failure): void {
    if (this.#over) return;
    this.#broken = true;
    this.refuse(error);
    this.#life?.abort(error);
  }

  /** For routes that are known before the flow runs, so that problems are worded as theirs. */
  at(route: Route): void {
    this.#route = route;
  }

  /** Hands the request to its flow and answers with what comes back. Throws what is wrong with the request. */
  run(route: Route, target: ReadTarget, params: Params): void {
    this.#route = route;
    const request = this.#request;
    const requestId = requestIdOf(request.headers['x-request-id']);
    this.#requestId = requestId;
    const query = readQuery(target.query);
    if (query === undefined) throw failure('bad-request', { detail: 'the query is not percent-encoded UTF-8' });
    const origin: Writable<Incoming['origin']> = {
      params,
      query,
      source: {
        method: request.method,
        path: target.path,
        url: request.url,
        remoteAddress: this.#connection.remoteAddress,
      },
      receivedAt: route.services.clock.now(),
      attempt: 1,
    };
    if (requestId !== undefined) origin.requestId = requestId;
    if (route.door) this.#knock(route, route.door, { ...origin, params, query });
    else this.#receive(route, request.headers as Headers, origin);
  }

  /** Nothing of the body is read before the caller is let in. */
  #knock(route: Route, door: Door, origin: Incoming['origin'] & Pick<Knock, 'params' | 'query'>): void {
    const request = this.#request;
    const headers = request.headers as Headers;
    const { remoteAddress } = this.#connection;
    const { params, query, source = {} } = origin;
    const receive = (entry: Entry): void => {
      if (this.#over) return;
      this.#fields = entry.fields;
      this.#receive(route, entry.headers, { ...origin, ...entry.origin });
    };
    const entering = door
      .enter({ request, headers, query, params, source, remoteAddress })
      .then(receive)
      .catch((thrown: unknown) => this.refuse(toFailure(thrown)));
    route.services.background(entering, `a caller of ${route.flow}`);
  }

  #receive(route: Route, headers: Headers, origin: Incoming['origin']): void {
    const request = this.#request;
    const length = request.headers['content-length'];
    const declared = length === undefined ? undefined : Number(length);
    const chunked = request.headers['transfer-encoding'] !== undefined;
    const { maxBody } = route;
    if (declared !== undefined && declared > maxBody) throw tooLarge(maxBody);
    const type = request.headers['content-type'];
    if (!chunked && !declared) {
      this.#deliver(route, Body.empty, headers, origin);
      return;
    }
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && isEncoded(encoding)) {
      this.#decode(route, encoding, headers, origin);
      return;
    }
    if (!route.needsWholeBody && (chunked || (declared ?? 0) > smallBody)) {
      const source = { stream: this.#stream(route), length: declared, limit: maxBody, tooLarge };
      this.#deliver(route, Body.stream(source, type), headers, origin);
      return;
    }
    if (this.#awaitsContinue) this.#continue();
    collect(request, declared, maxBody, (result) => {
      if (!(result instanceof Uint8Array)) {
        this.refuse(result);
        return;
      }
      this.#whole = true;
      route.bodyBytes.add(result.length);
      this.#deliver(route, Body.bytes(result, type), headers, origin);
    });
  }

  /** The flow has a compressed body as it was before, and hears nothing of how it came. */
  #decode(route: Route, encoding: string, headers: Headers, origin: Incoming['origin']): void {
    const body = decodedBody(this.#stream(route), encoding, route.maxBody, this.#request.headers['content-type']);
    const { 'content-encoding': _, 'content-length': __, ...rest } = headers;
    const deliver = (): void => this.#deliver(route, body, rest, origin);
    const whole = route.needsWholeBody && body.bytes(route.services.codec);
    if (whole instanceof Promise) whole.then(deliver).catch((thrown) => this.refuse(toFailure(thrown)));
    else deliver();
  }

  #stream({ maxBody, bodyBytes }: Route): Upload {
    const beforeRead = this.#awaitsContinue ? () => this.#continue() : undefined;
    this.#upload = new Upload(this.#request, maxBody, bodyBytes, beforeRead);
    return this.#upload;
  }

  #continue(): void {
    this.#awaitsContinue = false;
    this.#response.writeContinue();
  }

  #deliver(route: Route, body: Body, headers: Headers, origin: Incoming['origin']): void {
    if (this.#over) return;
    if (route.accept) {
      route.accept({ body, headers, origin }).then(
        (id) => this.#accepted(id),
        (thrown: unknown) => this.refuse(toFailure(thrown)),
      );
      return;
    }
    this.#begun = true;
    route
      .deliver({
        body,
        headers,
        origin,
        deadline: deadlineOf(this.#request),
        onStart: (life, id) => {
          this.#life = life;
          this.#id = id;
        },
      })
      .then(
        (exchange) => this.#reply(route, exchange),
        (thrown: unknown) => this.refuse(toFailure(thrown)),
      );
  }

  #reply(route: Route, exchange: Exchange | undefined): void {
    if (this.#over) {
      exchange?.body.discard();
      return;
    }
    if (exchange === undefined) {
      const id = this.#requestId ?? this.#id;
      const headers = id === undefined ? [] : ['x-request-id', id];
      this.#write({ status: route.wording?.silent ?? 204, headers, body: undefined });
      return;
    }
    try {
      const answer = answerOf(exchange);
      if (!(answer instanceof Promise)) this.#write(answer);
      else answer.then((one) => this.#write(one)).catch((thrown: unknown) => this.refuse(toFailure(thrown)));
    } catch (thrown) {
      this.refuse(toFailure(thrown));
    }
  }

  #accepted(id: string): void {
    const body = JSON.stringify({ id });
    const length = String(Buffer.byteLength(body));
    const requestId = this.#requestId ?? id;
    const headers = ['x-request-id', requestId, 'content-type', 'application/json', 'content-length', length];
    this.#write({ status: 202, headers, body });
  }

  refuse(error: Failure): void {
    if (this.#over) return;
    if (this.#response.headersSent) {
      this.#response.destroy();
      return;
    }
    const id = this.#id ?? this.#port.services.random.uuid();
    const { wording } = this.#route ?? {};
    const { status, headers, text } = wording
      ? wording.error(error, { id, contentType: this.#request.headers['content-type'] })
      : problemOf(error, {
          id,
          traceId: new Trace(id, this.#request.headers as Headers, this.#services.random).id,
          requestId: this.#requestId,
        });
    const length = String(Buffer.byteLength(text));
    if (!this.#begun) {
      tellRefused(this.#services, {
        request: this.#request,
        id,
        route: this.#route,
        status,
        error,
        secure: this.#port.secure,
      });
    }
    const all = ['x-request-id', this.#requestId ?? id, ...headers, ...fieldsOf(error), 'content-length', length];
    this.#write({ status, headers: all, body: text });
  }

  /** An answer that no flow gives: preflight and OPTIONS. */
  say(status: number, headers: readonly string[]): void {
    this.#write({ status, headers: [...headers], body: undefined });
  }

  #write({ status, headers, body }: Answer): void {
    if (this.#over) {
      if (isStream(body)) body.stream.destroy();
      return;
    }
    const response = this.#response;
    const request = this.#request;
    const cors = this.#route?.cors;
    if (cors) headers.push(...cors.answer(request));
    if (this.#fields) addMissing(headers, this.#fields);
    if (this.#port.secure) addMissing(headers, transportSecurity);
    // A client that was told to wait with its body may send it or not: the connection cannot be used again.
    const unfinished = this.#awaitsContinue || !(this.#whole || request.complete || !hasBody(request));
    if (unfinished || this.#broken || this.#port.draining) headers.push('connection', 'close');
    response.writeHead(status, headers);
    if (!isStream(body)) {
      this.#end(request.method === 'HEAD' ? undefined : body, unfinished);
    } else if (request.method === 'HEAD') {
      body.stream.destroy();
      this.#end(undefined, unfinished);
    } else {
      this.#pour(body, unfinished);
    }
  }

  #pour(body: Parameters<typeof pour>[0], unfinished: boolean): void {
    pour(body, this.#response, {
      stallMs: this.#port.patience.stall,
      sent: () => this.#end(undefined, unfinished),
      cut: (detail) => this.#services.log.warn('a relayed answer was cut', { exchange: this.#id, detail }),
    });
    this.#awaitSending();
  }

  /** The message is over, but a shutdown waits until its answer has gone out. */
  #awaitSending(): void {
    const sent = new Promise((resolve) => this.#response.once('close', resolve));
    this.#services.background(sent, 'an answer that a slow client is still reading');
  }

  get #services(): Services {
    return this.#route?.services ?? this.#port.services;
  }

  #end(body: Uint8Array | string | undefined, unfinished: boolean): void {
    const response = this.#response;
    if (!unfinished || this.#broken || this.#request.complete) {
      endWith(response, body);
      // The client is slower than we are; one that does not read at all is cut.
      if (response.socket?.writableLength) {
        response.socket.setTimeout(this.#port.patience.stall);
        this.#awaitSending();
      }
      this.#finished();
      return;
    }
    // The whole answer is on its way; ending it would close the connection under a client that is still writing.
    if (body === undefined) response.flushHeaders();
    else response.write(body);
    const end = (): void => {
      cancel();
      response.end();
      this.#finished();
    };
    const cancel = this.#port.services.clock.after(this.#port.patience.linger, end, true);
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
    const { meter, services } = this.#port;
    const ms = services.clock.monotonic() - this.#since;
    meter.served(this.#request.method, this.#route?.path ?? '', this.#response.statusCode, ms);
  }
}

type Writable<T> = { -readonly [name in keyof T]: T[name] };

/** Who came by TLS is to come by TLS for a year (RFC 6797). */
const transportSecurity = ['strict-transport-security', 'max-age=31536000'];

/** `x-request-deadline-ms`: how long the caller still waits, relative, for clocks differ. */
function deadlineOf({ headers }: IncomingMessage): number | undefined {
  const text = headers['x-request-deadline-ms'];
  return typeof text === 'string' && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}
