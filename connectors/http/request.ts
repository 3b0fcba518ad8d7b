import { type Exchange, failure, type Headers } from '#sdk';
import type { EndpointOptions } from './definition.ts';
import { badInValue, fieldName, hopByHop } from './fields.ts';

/** The options of one call, evaluated; what the engine adds stands last. */
export interface Operation {
  readonly method?: unknown;
  readonly path?: unknown;
  readonly query?: unknown;
  readonly headers?: unknown;
  /** The step gave a `body` of its own. */
  readonly bodyGiven?: boolean;
  /** Statuses that are success, or classes such as `2xx`; absent = 2xx. */
  readonly expect?: readonly (number | string)[];
}

/** What an endpoint's requests have in common, worked out once. */
export interface Template {
  readonly origin: string;
  /** Without a slash at its end. */
  readonly base: string;
  readonly query: string;
  readonly fixedQuery: Readonly<Record<string, string>>;
  /** Those that a call may override. */
  readonly headers: Headers;
  /** Those that nothing overrides. */
  readonly credentials: readonly string[];
  readonly protected: ReadonlySet<string>;
  /** `headers` and `credentials` as raw pairs, for calls that set none of their own. */
  readonly raw: readonly string[];
}

export function templateOf(options: EndpointOptions): Template {
  const url = new URL(options.url);
  const headers = Object.create(null) as Record<string, string>;
  headers['user-agent'] = 'dowel';
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = value;
  const credentials = credentialsOf(options.auth);
  for (const name of credentials.filter((_, index) => index % 2 === 0)) delete headers[name];
  const fixedQuery = options.query ?? {};
  return {
    origin: url.origin,
    base: url.pathname.replace(/\/+$/, ''),
    query: encodeQuery(fixedQuery),
    fixedQuery,
    headers,
    credentials,
    protected: new Set(credentials.filter((_, index) => index % 2 === 0)),
    raw: [...Object.entries(headers).flat(), ...credentials],
  };
}

function credentialsOf(auth: EndpointOptions['auth']): readonly string[] {
  if (auth?.basic) {
    const { username, password } = auth.basic;
    return ['authorization', `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`];
  }
  if (auth?.bearer) return ['authorization', `Bearer ${auth.bearer.token}`];
  if (auth?.header) return [auth.header.name.toLowerCase(), auth.header.value];
  return [];
}

/** CONNECT would make a tunnel, TRACE shows credentials to whoever asks. */
const refusedMethods = new Set(['CONNECT', 'TRACE']);

export function methodOf(operation: Operation): string {
  if (operation.method === undefined) return 'POST';
  const method = typeof operation.method === 'string' ? operation.method.toUpperCase() : '';
  if (fieldName.test(method) && !refusedMethods.has(method)) return method;
  throw failure('bad-request', { detail: `${JSON.stringify(operation.method)} is not a method that can be called` });
}

/** GET, HEAD and DELETE send a body only when the step gave one. */
export const sendsBody = (method: string, operation: Operation): boolean =>
  operation.bodyGiven === true || (method !== 'GET' && method !== 'HEAD' && method !== 'DELETE');

// Written out or percent-encoded, with a slash of either kind: a server on the way may read any of them.
const dotSegment = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?=$|[/\\]|%2f|%5c)/i;
const outsideUri = /[^!-~]|[#\\]/;

/** Path and query of a request. The holes in `path` were encoded one by one; here it is held below the base. */
export function pathOf(template: Template, operation: Operation): string {
  const { path } = operation;
  if (path === undefined && operation.query === undefined) return (template.base || '/') + mark(template.query);
  if (path !== undefined && typeof path !== 'string') throw failure('bad-request', { detail: 'the path is not text' });
  const text = path ?? '';
  const question = text.indexOf('?');
  const plain = question === -1 ? text : text.slice(0, question);
  if (outsideUri.test(text) || (plain.includes('.') || plain.includes('%') ? dotSegment.test(plain) : false)) {
    throw failure('bad-request', { detail: 'the path of the call holds characters or segments that are not allowed' });
  }
  const joined = template.base + (plain === '' || plain.startsWith('/') ? plain : `/${plain}`) || '/';
  const written = question === -1 ? '' : text.slice(question + 1);
  const own = operation.query === undefined ? template.query : mergedQuery(template, operation.query);
  return joined + mark(written === '' || own === '' ? written + own : `${written}&${own}`);
}

const mark = (query: string): string => (query === '' ? '' : `?${query}`);

function mergedQuery(template: Template, query: unknown): string {
  if (typeof query !== 'object' || query === null || Array.isArray(query)) {
    throw failure('bad-request', { detail: 'the query of the call is not a map' });
  }
  const merged: Record<string, unknown> = Object.assign(Object.create(null), template.fixedQuery, query);
  return encodeQuery(merged);
}

function encodeQuery(query: Readonly<Record<string, unknown>>): string {
  let text = '';
  for (const name in query) {
    const value = query[name];
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one === undefined || one === null) continue;
      if (typeof one === 'object') throw failure('bad-request', { detail: `the query parameter ${name} is not text` });
      text += `${text === '' ? '' : '&'}${encodeURIComponent(name)}=${encodeURIComponent(String(one))}`;
    }
  }
  return text;
}

/** Raw header pairs. What came in with the message is not among them: only what the file itself says. */
export function headersOf(template: Template, exchange: Exchange, operation: Operation): readonly string[] {
  const raw = messageHeaders(template, exchange, operation);
  const { left } = exchange.life;
  // Relative, because clocks differ; truncated, so that the far side gives up no later than we do.
  if (left !== undefined) raw.push('x-request-deadline-ms', String(Math.floor(left)));
  return raw;
}

function messageHeaders(template: Template, exchange: Exchange, operation: Operation): string[] {
  const own = operation.headers;
  if (own === undefined && !hasAny(exchange.ownHeaders)) return [...template.raw];
  if (own !== undefined && (typeof own !== 'object' || own === null)) {
    throw failure('bad-request', { detail: 'the headers of the call are not a map' });
  }
  const merged = Object.create(null) as Record<string, unknown>;
  Object.assign(merged, template.headers);
  assignLower(merged, exchange.ownHeaders);
  if (own) assignLower(merged, own);
  const raw: string[] = [];
  for (const name in merged) {
    const isConfigured = merged[name] === template.headers[name];
    if (!isConfigured && (template.protected.has(name) || hopByHop.has(name) || name === 'host')) continue;
    for (const value of Array.isArray(merged[name]) ? merged[name] : [merged[name]]) push(raw, name, value);
  }
  raw.push(...template.credentials);
  return raw;
}

const hasAny = (headers: Headers): boolean => {
  for (const _ in headers) return true;
  return false;
};

function assignLower(target: Record<string, unknown>, from: object): void {
  for (const [name, value] of Object.entries(from)) target[name.toLowerCase()] = value;
}

function push(raw: string[], name: string, value: unknown): void {
  if (value === undefined || value === null) return;
  const text = String(value);
  if (typeof value === 'object' || !fieldName.test(name) || badInValue.test(text)) {
    throw failure('bad-request', { detail: `the header ${JSON.stringify(name)} of the call is not valid` });
  }
  raw.push(name, text);
}
