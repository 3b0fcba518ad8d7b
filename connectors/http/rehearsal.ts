import {
  type Answered,
  Body,
  type Exchange,
  type Failure,
  failure,
  type Headers,
  httpFailure,
  type Incoming,
  noHeaders,
  type Rehearsal,
  type RehearsedSource,
  type SourceContext,
  Trace,
  toFailure,
} from '#sdk';
import { accept } from './accepted.ts';
import { answerOf } from './answer.ts';
import { isExpected, millisecondsOf } from './attempt.ts';
import type { Door } from './auth/door.ts';
import type { EndpointOptions, SourceOptions } from './definition.ts';
import { addMissing, fieldsOf, problemOf } from './problem.ts';
import { methodOf, type Operation, sendsBody } from './request.ts';
import { tooLarge } from './upload.ts';

const noBody = Body.empty;

async function openSource(options: SourceOptions, context: SourceContext): Promise<RehearsedSource> {
  const accepting = options.reply === 'accepted' ? accept(options, context) : undefined;
  const door = await rehearsedDoor(options, context);
  // What the contract does not allow fails a test, whatever becomes of it in production.
  const serving =
    options.contract &&
    (await import('./contract/serving.ts')).serveContract(options, context, options.contract.answers === 'warn');
  const { deliver = context.deliver } = serving ?? {};
  const put = accepting && (serving?.accepting(accepting.put) ?? accepting.put);

  const answered = async (came: Incoming, id: () => string | undefined): Promise<Answered> => {
    const { message, fields } = await letIn(came, door);
    const { length } = message.body;
    if (length !== undefined && length > options.maxBody) throw tooLarge(options.maxBody);
    if (put) {
      const kept = await put(message);
      return { status: 202, headers: { 'x-request-id': kept }, body: Body.value({ id: kept }, 'application/json') };
    }
    const exchange = await deliver(message);
    if (exchange) return worded(exchange, fields);
    const known = id();
    const status = context.wording?.silent ?? 204;
    return { status, headers: known === undefined ? noHeaders : { 'x-request-id': known }, body: noBody };
  };

  const refused = (error: Failure, message: Incoming, known: string | undefined): Answered => {
    const id = known ?? context.random.uuid();
    const contentType = textOf(message.headers['content-type']);
    const { status, headers, text } = context.wording
      ? context.wording.error(error, { id, contentType })
      : problemOf(error, { id, traceId: new Trace(id, message.headers, context.random).id });
    const all = named(['x-request-id', id, ...headers, ...fieldsOf(error)]);
    return { status, headers: all, body: Body.bytes(text, textOf(all['content-type'])), error };
  };

  return {
    async send(message) {
      let id: string | undefined;
      const onStart: Incoming['onStart'] = (_, own) => {
        id = own;
      };
      try {
        return await answered({ ...message, origin: originOf(message, options), onStart }, () => id);
      } catch (thrown) {
        return refused(toFailure(thrown), message, id);
      }
    },
    async stop() {
      accepting?.stop();
    },
    async close() {
      await accepting?.close();
    },
  };
}

/** What the wire would tell: a test says only what matters to it. */
function originOf({ origin }: Incoming, { method, path }: SourceOptions): Incoming['origin'] {
  const filled = path.replace(/\{([\w.-]+)\+?\}/g, (_, name: string) => origin.params?.[name] ?? '');
  const [first] = [method].flat();
  const source = { method: first, path: filled, url: filled, remoteAddress: '127.0.0.1', ...origin.source };
  return { ...origin, source };
}

/** A test says who is asking, or shows a key or a password; there are no servers of keys and tokens. */
async function rehearsedDoor(options: SourceOptions, context: SourceContext): Promise<Door | undefined> {
  if (!options.auth && !options.rateLimit) return undefined;
  const [{ openDoor }, { rehearsedScheme }] = await Promise.all([
    import('./auth/door.ts'),
    import('./auth/rehearsed.ts'),
  ]);
  return openDoor(options, context, rehearsedScheme);
}

interface LetIn {
  readonly message: Incoming;
  readonly fields: readonly string[];
}

async function letIn(message: Incoming, door: Door | undefined): Promise<LetIn> {
  if (!door) return { message, fields: [] };
  const { headers, origin } = message;
  const { params = {}, query = {}, source = {}, identity } = origin;
  const remoteAddress = String(source['remoteAddress']);
  const request = { rawHeaders: [], socket: { remoteAddress } };
  const entry = await door.enter({ request, headers, query, params, source, remoteAddress, stated: identity });
  const { identity: _, ...unknown } = origin;
  return {
    message: { ...message, headers: entry.headers, origin: { ...unknown, ...entry.origin } },
    fields: entry.fields,
  };
}

async function worded(exchange: Exchange, fields: readonly string[]): Promise<Answered> {
  const { status, headers, body } = await answerOf(exchange);
  addMissing(headers, fields);
  const all = named(headers);
  if (body === undefined) return { status, headers: all, body: noBody };
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
    throw failure('bug', { detail: 'nothing streams in a test' });
  }
  return { status, headers: all, body: Body.bytes(body, textOf(all['content-type'])) };
}

/** Raw pairs as a map. */
function named(raw: readonly string[]): Headers {
  const headers: Record<string, string | string[]> = {};
  for (let at = 0; at < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase();
    const value = raw[at + 1] ?? '';
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}

const textOf = (header: Headers[string] | undefined): string | undefined =>
  typeof header === 'string' ? header : header?.[0];

function answered(exchange: Exchange, endpoint: string, answer: Answered): Exchange {
  const { status = 200, headers } = answer;
  const operation = (exchange.operation ?? {}) as Operation;
  const method = methodOf(operation);
  if (!isExpected(status, operation.expect)) {
    const retryAfter = millisecondsOf(headers['retry-after'], exchange.services.clock.now());
    throw httpFailure(status, { endpoint, method, ...(retryAfter === undefined ? {} : { retryAfter }) });
  }
  const body = method === 'HEAD' || status === 204 || status === 304 ? noBody : answer.body;
  return exchange.with({ body, headers, ownHeaders: noHeaders, response: { status, headers, endpoint } });
}

function sends({ operation = {} }: Exchange): boolean {
  return sendsBody(methodOf(operation as Operation), operation as Operation);
}

const openEndpoint: NonNullable<Rehearsal['openEndpoint']> = async (options: EndpointOptions, context) =>
  options.contract && (await import('./contract/calling.ts')).callContract(options, context);

export const rehearsal: Rehearsal = { openSource, openEndpoint, sendsBody: sends, answered };
