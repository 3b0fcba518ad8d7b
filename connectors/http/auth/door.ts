import { type Exchange, Failure, failure, type Headers, type Identity, type SourceContext, toFailure } from '#sdk';
import type { SourceOptions } from '../definition.ts';
import { usualHeader } from './api-key.ts';
import { type Guarded, identify, type MakeScheme, realScheme, schemesOf } from './guard.ts';
import { Refusals } from './refusals.ts';
import { RequestLimit } from './request-limit.ts';
import type { Asking } from './scheme.ts';

/** What is known of a request before anybody has looked at its body. */
export interface Knock extends Asking {
  readonly params: Readonly<Record<string, string>>;
  readonly source: Readonly<Record<string, unknown>>;
  readonly remoteAddress: string | undefined;
}

/** A request that was let in, without what it showed to be let in. */
export interface Entry {
  readonly headers: Headers;
  readonly origin: Pick<Exchange['origin'], 'identity' | 'query' | 'source'>;
  /** Raw pairs for the answer. */
  readonly fields: readonly string[];
}

/** Stands before a flow. Rejects with what the caller is answered. */
export interface Door {
  enter(knock: Knock): Promise<Entry>;
}

/** How many callers are looked at at once; others are sent away. */
const mostInside = 2_000;

/** Who may come in, and how often; `undefined`: everybody. */
export async function openDoor(
  { auth, rateLimit }: Pick<SourceOptions, 'auth' | 'rateLimit'>,
  context: SourceContext,
  make: MakeScheme = realScheme,
): Promise<Door | undefined> {
  if (!auth && !rateLimit) return undefined;
  const { clock, log, name, services } = context;
  const guarded: readonly Guarded[] = auth ? await schemesOf(auth, context, make) : [];
  const refusals = new Refusals(name, services.meter, log);
  const limit = rateLimit && new RequestLimit(rateLimit, clock);
  // Who guesses passwords has as many tries as a caller has requests.
  const guesses = auth && rateLimit ? new RequestLimit(rateLimit, clock) : undefined;
  const keyOf = rateLimit?.key && context.expression(rateLimit.key);
  const hidden = hiddenIn(auth);
  let inside = 0;

  const limited = async <T>(knock: Knock, work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      const error = toFailure(thrown);
      if (error.code === 'rate-limited') refusals.count('rate', knock);
      // Ours to mend: an expression that fails lets nobody in.
      if (error.kind === 'bug' || error.code.startsWith('expression')) {
        log.error('a caller could not be checked', { flow: name, code: error.code, detail: error.message });
      }
      throw error;
    }
  };

  const who = async (knock: Knock, stripped: Stripped): Promise<Identity | undefined> => {
    if (!auth) return undefined;
    const address = addressOf(knock.remoteAddress);
    guesses?.check(address);
    try {
      return await identify(knock, guarded, (identity) => seenOf(knock, stripped, identity), refusals);
    } catch (thrown) {
      if (thrown instanceof Failure && thrown.facts['guessed'] === true) guesses?.count(address);
      throw thrown;
    }
  };

  const callerOf = async (knock: Knock, stripped: Stripped, identity: Identity | undefined): Promise<string> => {
    const key = keyOf && (await keyOf(seenOf(knock, stripped, identity)));
    if (key !== undefined && key !== null && key !== '')
      return `key ${typeof key === 'string' ? key : JSON.stringify(key)}`;
    const subject = identity?.subject ?? identity?.clientId;
    return subject === undefined ? addressOf(knock.remoteAddress) : `subject ${identity?.scheme} ${subject}`;
  };

  const pass = async (knock: Knock): Promise<Entry> => {
    const stripped = strip(knock, hidden);
    const identity = await who(knock, stripped);
    const fields = limit?.take(await callerOf(knock, stripped, identity)) ?? [];
    const { headers, query, source } = stripped;
    const origin = identity ? { identity, query, source } : { query, source };
    return { headers, origin, fields: auth ? [...fields, ...uncached] : fields };
  };

  return {
    async enter(knock) {
      if (inside >= mostInside) throw failure('overloaded', { detail: 'too many callers are being checked' });
      inside += 1;
      try {
        return await limited(knock, () => pass(knock));
      } finally {
        inside -= 1;
      }
    },
  };
}

/** What is for one caller is kept by no cache on the way, unless the flow says otherwise. */
const uncached = ['cache-control', 'no-store'];

interface Hidden {
  readonly headers: ReadonlySet<string>;
  readonly query: string | undefined;
}

/** Where credentials stand: no flow, log or store sees them. */
function hiddenIn(auth: SourceOptions['auth']): Hidden {
  if (!auth) return { headers: new Set(), query: undefined };
  const { header = usualHeader, query } = auth.apiKey ?? {};
  const key = auth.apiKey && query === undefined ? [header.toLowerCase()] : [];
  return { headers: new Set(['authorization', ...key]), query };
}

type Stripped = Pick<Knock, 'headers' | 'query' | 'source'>;

function strip({ headers, query, source }: Knock, hidden: Hidden): Stripped {
  if (hidden.headers.size === 0) return { headers, query, source };
  // As those that node gives: without a prototype, so that `$headers.constructor` is nothing.
  const kept = Object.create(null) as Record<string, string | readonly string[]>;
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && !hidden.headers.has(name)) kept[name] = value;
  }
  if (hidden.query === undefined || query[hidden.query] === undefined) return { headers: kept, query, source };
  const { [hidden.query]: _, ...rest } = query;
  return {
    headers: kept,
    query: Object.assign(Object.create(null), rest),
    source: { ...source, url: withoutParameter(String(source['url']), hidden.query) },
  };
}

function withoutParameter(url: string, name: string): string {
  const at = url.indexOf('?');
  const named = (part: string): string => {
    const [written = ''] = part.split('=', 1);
    try {
      return decodeURIComponent(written.replaceAll('+', ' '));
    } catch {
      return written;
    }
  };
  const kept = url
    .slice(at + 1)
    .split('&')
    .filter((part) => named(part) !== name);
  return kept.length === 0 ? url.slice(0, at) : `${url.slice(0, at)}?${kept.join('&')}`;
}

const seenOf = (
  { params }: Knock,
  { headers, query, source }: Stripped,
  identity: Identity | undefined,
): Readonly<Record<string, unknown>> => ({ identity, headers, params, query, source });

/** An address as a caller; of IPv6 the network that one customer has (RFC 6177). */
export function addressOf(remoteAddress: string | undefined): string {
  const address = (remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '');
  if (!address.includes(':')) return `address ${address}`;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const all = [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  return `address ${all.slice(0, 4).join(':')}::/64`;
}
