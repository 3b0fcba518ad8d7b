import {
  Body,
  type Endpoint,
  type EndpointContext,
  type Exchange,
  Failure,
  failure,
  httpFailure,
  type Link,
  noHeaders,
  once,
} from '#sdk';
import { errorCode, errorText, statusHeader } from './answering.ts';
import { type Connected, connectionTo, type Message } from './connection.ts';
import type { NatsEndpointOptions } from './definition.ts';
import { partsOf, toHeaders } from './headers.ts';
import { ensureStream, managerOf } from './streams.ts';
import { subjectProblem } from './subjects.ts';
import { callFailure, explain } from './trouble.ts';

interface Operation {
  readonly subject?: unknown;
  readonly messageId?: unknown;
  readonly expectLastSequence?: unknown;
  /** Somebody waits for the answer of a service. */
  readonly answered?: boolean;
}

/** What is asked of the library to wait at most, where neither a timeout nor a deadline ends a call before. */
const longest = 300_000;

export async function openEndpoint(options: NatsEndpointOptions, context: EndpointContext): Promise<Endpoint> {
  const { name } = context;
  const base = connectionTo(options, context);
  const stream = streamOf(options, base.value);
  try {
    await base.value.start();
    const { opened } = base.value;
    if (opened) await stream(opened);
  } catch (thrown) {
    await base.release();
    if (thrown instanceof Failure) throw thrown;
    throw failure('startup', { what: `The endpoint \`${name}\``, detail: explain(thrown).detail }, { cause: thrown });
  }

  const handle = async (exchange: Exchange): Promise<Exchange | undefined> => {
    const { life } = exchange;
    life.check();
    const operation = (exchange.operation ?? {}) as Operation;
    const subject = subjectOf(operation, options);
    const data = await exchange.bytes();
    const connected = base.value.opened ?? (await base.value.up(life, name));
    const { connection, library } = connected;
    const headers = toHeaders(
      library,
      exchange.ownHeaders,
      exchange.body.isEmpty ? undefined : exchange.body.wireType(exchange.services.codec),
    );
    const limit = Math.ceil(Math.min(life.left ?? longest, longest)) + 1_000;
    if (operation.answered) {
      const answer = await life.race(ask(connection, { subject, data, headers, limit, endpoint: name }));
      return answered(exchange, answer, name);
    }
    if (!options.jetstream) {
      await life.race(tell(connected, { subject, data, headers, limit, endpoint: name }));
      return undefined;
    }
    try {
      await life.race(stream(connected));
    } catch (thrown) {
      life.check();
      const { detail, hopeless } = explain(thrown);
      throw failure(
        'connection',
        { endpoint: name, detail, sent: false },
        hopeless ? { kind: 'permanent', cause: thrown } : { cause: thrown },
      );
    }
    const id = operation.messageId ?? exchange.ownHeaders['idempotency-key'];
    if (id !== undefined) headers.set('Nats-Msg-Id', textOf(id, 'messageId'));
    if (options.stream !== undefined) headers.set('Nats-Expected-Stream', options.stream);
    const { expectLastSequence } = operation;
    if (expectLastSequence !== undefined) {
      headers.set('Nats-Expected-Last-Subject-Sequence', sequenceOf(expectLastSequence));
    }
    await life.race(store(connection, { subject, data, headers, limit, endpoint: name }));
    return undefined;
  };

  return {
    handle,
    get ready() {
      return base.value.opened !== undefined;
    },
    get trouble() {
      return base.value.trouble;
    },
    close: once(() => base.release()),
  };
}

interface Outgoing {
  readonly subject: string;
  readonly data: Uint8Array | string;
  readonly headers: ReturnType<typeof toHeaders>;
  readonly limit: number;
  readonly endpoint: string;
}

type Connection = Connected['connection'];

/** Makes the stream where the file says how, once for each connection. */
function streamOf({ stream, declare }: NatsEndpointOptions, link: Link<Connected>) {
  let made: { readonly by: Connected; readonly making: Promise<void> } | undefined;
  return (connected: Connected): Promise<void> => {
    if (stream === undefined || !declare) return done;
    if (made?.by !== connected) {
      const making = managerOf(connected).then((manager) => ensureStream(manager, stream, declare));
      made = { by: connected, making };
      making.catch(() => {
        if (made?.making === making && link.opened === connected) made = undefined;
      });
    }
    return made.making;
  };
}

const done = Promise.resolve();

async function ask(connection: Connection, { subject, data, headers, limit, endpoint }: Outgoing): Promise<Message> {
  try {
    return await connection.request(subject, data, { headers, timeout: limit });
  } catch (thrown) {
    if (isNobody(thrown)) {
      const detail = `nobody answers at the subject \`${subject}\``;
      throw failure('unroutable', { endpoint, detail, sent: false }, { cause: thrown });
    }
    throw callFailure(thrown, endpoint, subject);
  }
}

/** Resolves when the server has it: its answer to a question that was sent behind the message. */
async function tell({ connection, flush }: Connected, { subject, data, headers, endpoint }: Outgoing): Promise<void> {
  const refused = Promise.withResolvers<never>();
  const forget = onRefusal(connection, subject, refused.reject);
  try {
    connection.publish(subject, data, { headers });
    await Promise.race([flush(), refused.promise]);
  } catch (thrown) {
    throw callFailure(thrown, endpoint, subject);
  } finally {
    forget();
  }
}

type Refusals = Map<string, Set<(error: Error) => void>>;

const refusals = new WeakMap<Connection, Refusals>();

/** The server refuses a publish in a message of its own, which comes before the answer to what was sent behind it. */
function onRefusal(connection: Connection, subject: string, run: (error: Error) => void): () => void {
  const known = refusals.get(connection) ?? listenForRefusals(connection);
  const listeners = known.get(subject) ?? new Set();
  known.set(subject, listeners.add(run));
  return () => {
    listeners.delete(run);
    if (listeners.size === 0 && known.get(subject) === listeners) known.delete(subject);
  };
}

function listenForRefusals(connection: Connection): Refusals {
  const listeners: Refusals = new Map();
  refusals.set(connection, listeners);
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type !== 'error' || !('operation' in status.error) || !('subject' in status.error)) continue;
      if (status.error.operation !== 'publish') continue;
      for (const run of listeners.get(String(status.error.subject)) ?? []) run(status.error);
    }
  })();
  return listeners;
}

/** Resolves when a stream has stored it. */
async function store(connection: Connection, { subject, data, headers, limit, endpoint }: Outgoing): Promise<void> {
  let answer: Message;
  try {
    answer = await connection.request(subject, data, { headers, timeout: limit });
  } catch (thrown) {
    if (isNobody(thrown)) {
      const detail = `no stream stores the subject \`${subject}\`: make one, or write \`jetstream: false\` for core NATS`;
      throw failure('unroutable', { endpoint, detail, sent: false }, { cause: thrown });
    }
    throw callFailure(thrown, endpoint, subject);
  }
  const { error, stream } = readAck(answer, endpoint);
  if (error) {
    const facts = { endpoint, detail: error.description, errorCode: error.err_code, sent: false };
    throw failure('refused', facts, error.code >= 500 ? {} : { kind: 'permanent' });
  }
  if (stream === undefined) throw notStored(endpoint, subject);
}

interface PubAck {
  readonly stream?: string;
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description?: string };
}

function readAck(answer: Message, endpoint: string): PubAck {
  try {
    return answer.json<PubAck>();
  } catch {
    throw notStored(endpoint, answer.subject);
  }
}

const notStored = (endpoint: string, subject: string): Failure =>
  failure('invalid-response', {
    endpoint,
    detail: `somebody who is no stream answered at \`${subject}\`: write \`call\` to ask a service, or \`jetstream: false\``,
  });

const isNobody = (thrown: unknown): boolean => {
  const { cause } = thrown as { readonly cause?: unknown };
  return (cause instanceof Error ? cause : (thrown as Error)).name === 'NoResponders';
};

function answered(exchange: Exchange, answer: Message, endpoint: string): Exchange {
  const { headers, type } = partsOf(answer);
  const failed = headers[errorCode] !== undefined;
  const detail = String(headers[errorText] ?? '');
  const status = statusOf(headers[statusHeader]) ?? statusOf(headers[errorCode]);
  const { expect } = (exchange.operation ?? {}) as { readonly expect?: readonly (string | number)[] };
  if (status === undefined && failed) {
    throw failure('invalid-response', { endpoint, detail: `the error ${String(headers[errorCode])}: ${detail}` });
  }
  if (status !== undefined && !isExpected(status, expect)) {
    throw httpFailure(status, { endpoint, ...(failed ? { detail } : {}) });
  }
  return exchange.with({
    body: Body.bytes(answer.data, type, endpoint),
    headers,
    ownHeaders: noHeaders,
    response: { ...(status === undefined ? {} : { status }), headers, endpoint },
  });
}

const statusOf = (header: unknown): number | undefined =>
  typeof header === 'string' && /^[1-5]\d\d$/.test(header) ? Number(header) : undefined;

const isExpected = (status: number, expect: readonly (string | number)[] = ['2xx']): boolean =>
  expect.some((one) => (typeof one === 'number' ? one === status : one[0] === String(status)[0]));

function subjectOf({ subject }: Operation, options: NatsEndpointOptions): string {
  const wanted = subject ?? options.subject;
  if (wanted === undefined) {
    throw failure('bad-request', { detail: 'neither it nor its endpoint has a `subject`', sent: false });
  }
  const text = textOf(wanted, 'subject');
  const problem = subjectProblem(text);
  if (problem !== undefined) {
    throw failure('bad-request', { detail: `its subject ${problem}`, sent: false });
  }
  return text;
}

function textOf(value: unknown, what: string): string {
  const text = typeof value === 'number' ? String(value) : Array.isArray(value) ? value[0] : value;
  if (typeof text === 'string' && text !== '' && !/[\r\n\0]/.test(text)) return text;
  throw failure('bad-request', { detail: `its \`${what}\` is not text of one line`, sent: false });
}

function sequenceOf(value: unknown): string {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return String(value);
  throw failure('bad-request', { detail: 'its `expectLastSequence` is no sequence number', sent: false });
}
