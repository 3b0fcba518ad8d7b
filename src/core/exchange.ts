import type { Failure } from '../errors.ts';
import { Body, type Codec } from './body.ts';
import type { CallLog } from './call-log.ts';
import type { Clock } from './clock.ts';
import type { Identity } from './identity.ts';
import type { Life } from './life.ts';
import type { Meter } from './meter.ts';
import type { Random } from './random.ts';
import type { Tracer } from './span.ts';
import { Trace } from './trace.ts';

/**
 * One function type carries everything: steps, flows, endpoints; a policy turns one into another. The settled promise is
 * the reply and the acknowledgement: an exchange = reply and ack, `undefined` = ack with nothing to say, a rejection with
 * a {@link Failure} = redeliver, dead-letter or answer with an error, by its kind.
 */
export type Handler = (exchange: Exchange) => Promise<Exchange | undefined>;

/** Headers of a message: lower-case names; a header that came several times is a list. */
export type Headers = Readonly<Record<string, string | readonly string[]>>;
/** To be asked with `Object.hasOwn`. */
export type Variables = Readonly<Record<string, unknown>>;

export const noHeaders: Headers = Object.freeze(Object.create(null) as Headers);
export const noVariables: Variables = Object.freeze({});

/** What every message of one running integration shares. */
export interface Services {
  readonly clock: Clock;
  readonly random: Random;
  readonly codec: Codec;
  /** What `$config` sees; secrets are not in it. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly log: Log;
  /** A line for each message and each call; absent: there are none. */
  readonly callLog?: CallLog;
  readonly meter: Meter;
  /** Absent: no traces are recorded. */
  readonly tracer?: Tracer;
  /** Work that goes on beside the messages: a shutdown waits for it, and names it by `what` when it waits in vain. */
  readonly background: (work: Promise<unknown>, what?: string) => void;
  /** Keeps a compensation that could not be done where a person finds it; absent where nothing can be kept. */
  readonly parkUndo?: (exchange: Exchange, undo: ParkedUndo) => Promise<void>;
}

/** A compensation that could not be done. */
export interface ParkedUndo {
  /** Whose. */
  readonly place: string;
  /** What its step saw. */
  readonly saw: Exchange | undefined;
  /** Why it was to be undone. */
  readonly why: Failure;
  /** Why it could not. */
  readonly failed: Failure;
  readonly attempts: number;
}

/** Constant message, facts as fields; no bodies, no secrets. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
  readonly debugging: boolean;
}

/** Where a message came from, as its source knows it. */
export interface Origin {
  /** `$params`: path parameters (HTTP). */
  readonly params?: Readonly<Record<string, string>>;
  /** `$query`: a parameter that came several times is a list (HTTP). */
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  /** `$event`: the attributes of the CloudEvent that the message is. */
  readonly event?: Readonly<Record<string, unknown>>;
  /** `$source`: topic, path, partition … */
  readonly source?: Readonly<Record<string, unknown>>;
  /** `$identity`: who sent it, where the source asks. */
  readonly identity?: Identity;
  /** What its sender calls the request; absent: the id of the message. */
  readonly requestId?: string;
  readonly receivedAt: number;
  /** 1 for the first delivery. */
  readonly attempt: number;
  /** The same when its source hands the message over again. */
  readonly key?: string;
  /** It comes from the dead letters. */
  readonly replayed?: true;
}

/** `$response`: of the last call in scope. */
export interface Response {
  readonly status?: number | undefined;
  readonly headers: Headers;
  readonly endpoint: string;
  /** Header blocks of the protocol above (SOAP). */
  readonly header?: unknown;
}

/** What `respond` decided: the flow has ended. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
}

interface Fields {
  readonly id: string;
  readonly flow: string;
  readonly services: Services;
  readonly life: Life;
  readonly trace: Trace;
  readonly origin: Origin;
  readonly body: Body;
  /** `$headers`: what came in, plus what `set` changed. */
  readonly headers: Headers;
  /** The headers that the file itself set: they alone travel on with calls and replies. */
  readonly ownHeaders: Headers;
  readonly variables: Variables;
  readonly response: Response | undefined;
  /** `$error`. */
  readonly error: Failure | undefined;
  readonly reply: Reply | undefined;
  /** For an endpoint: the options of this call, evaluated. */
  readonly operation: unknown;
  /** Which round, branch or run of a sub-flow this is: with the place of a step it names one execution of it. */
  readonly position: string;
}

type Writable = { -readonly [name in keyof Fields]: Fields[name] };

/** A message on its way through a flow. Immutable: a change makes a new one that shares the rest. */
export class Exchange implements Fields {
  readonly id: string;
  readonly flow: string;
  readonly services: Services;
  readonly life: Life;
  readonly trace: Trace;
  readonly origin: Origin;
  readonly body: Body;
  readonly headers: Headers;
  readonly ownHeaders: Headers;
  readonly variables: Variables;
  readonly response: Response | undefined;
  readonly error: Failure | undefined;
  readonly reply: Reply | undefined;
  readonly operation: unknown;
  readonly position: string;

  private constructor(from: Fields) {
    this.id = from.id;
    this.flow = from.flow;
    this.services = from.services;
    this.life = from.life;
    this.trace = from.trace;
    this.origin = from.origin;
    this.body = from.body;
    this.headers = from.headers;
    this.ownHeaders = from.ownHeaders;
    this.variables = from.variables;
    this.response = from.response;
    this.error = from.error;
    this.reply = from.reply;
    this.operation = from.operation;
    this.position = from.position;
  }

  static create(first: {
    id: string;
    flow: string;
    services: Services;
    life: Life;
    origin: Origin;
    body?: Body;
    headers?: Headers;
    trace?: Trace;
  }): Exchange {
    const headers = first.headers ?? noHeaders;
    return new Exchange({
      id: first.id,
      flow: first.flow,
      services: first.services,
      life: first.life,
      trace: first.trace ?? new Trace(first.id, headers, first.services.random),
      origin: first.origin,
      body: first.body ?? Body.empty,
      headers,
      ownHeaders: noHeaders,
      variables: noVariables,
      response: undefined,
      error: undefined,
      reply: undefined,
      operation: undefined,
      position: '',
    });
  }

  /** Which message it is, for the log. */
  get named(): {
    readonly flow: string;
    readonly exchange: string;
    readonly traceId: string;
    readonly requestId?: string;
  } {
    const { requestId } = this.origin;
    const names = { flow: this.flow, exchange: this.id, traceId: this.trace.id };
    return requestId === undefined ? names : { ...names, requestId };
  }

  with(change: Partial<Fields>): Exchange {
    const next = new Exchange(this);
    Object.assign(next, change);
    return next;
  }

  /** As `with({ life, position })`, in half the time: every call of an endpoint has a life of its own. */
  withLife(life: Life, position = this.position): Exchange {
    const next: Writable = new Exchange(this);
    next.life = life;
    next.position = position;
    return next as Exchange;
  }

  /** What an endpoint answered, as `with` would take it over, in a third of the time: every call has an answer. */
  withAnswer({ body, headers, ownHeaders, response }: Pick<Fields, 'body' | 'headers' | 'ownHeaders' | 'response'>) {
    const next: Writable = new Exchange(this);
    next.body = body;
    next.headers = headers;
    next.ownHeaders = ownHeaders;
    next.response = response;
    return next as Exchange;
  }

  /** As `with({ operation })`, for the same reason. */
  withOperation(operation: unknown): Exchange {
    const next: Writable = new Exchange(this);
    next.operation = operation;
    return next as Exchange;
  }

  withBody(body: Body): Exchange {
    const next: Writable = new Exchange(this);
    next.body = body;
    return next as Exchange;
  }

  withVariable(name: string, value: unknown): Exchange {
    // Not as a computed key of a literal: V8 makes those the slow way.
    const named: Record<string, unknown> = {};
    named[name] = value;
    return this.withVariables(named);
  }

  withVariables(named: Variables): Exchange {
    const next: Writable = new Exchange(this);
    next.variables = { ...this.variables, ...named };
    return next as Exchange;
  }

  withOwnHeaders(ownHeaders: Headers): Exchange {
    const next: Writable = new Exchange(this);
    next.ownHeaders = ownHeaders;
    return next as Exchange;
  }

  /** What `respond` says. */
  withReply(reply: Reply, body: Body): Exchange {
    const next: Writable = new Exchange(this);
    next.reply = reply;
    next.body = body;
    return next as Exchange;
  }

  /** The parsed body; waiting for a slow one ends with the message. */
  value(): unknown | Promise<unknown> {
    const value = this.body.value(this.services.codec);
    return value instanceof Promise ? this.life.race(value) : value;
  }

  /** The body as it goes over the wire; waiting for a slow one ends with the message. */
  bytes(): Uint8Array | string | Promise<Uint8Array | string> {
    const bytes = this.body.bytes(this.services.codec);
    return bytes instanceof Promise ? this.life.race(bytes) : bytes;
  }

  /**
   * For a step that sends the body on while the flow goes on: makes sure that it can be sent again later, unless this is
   * the one relay that the flow allows.
   */
  async settle(): Promise<void> {
    if (this.body.mustSettle) await this.bytes();
  }
}
