import { type Exchange, failure, type Headers, noHeaders, type Trace } from '#sdk';
import type { EndpointOptions } from './definition.ts';
import { badInValue, fieldName, hopByHop } from './fields.ts';

/** The options of one call, evaluated; what the engine adds stands last. */
export interface Operation {
  readonly method?: unknown;
  readonly path?: unknown;
  readonly query?: unknown;
  /** Of the contract of the endpoint, by name, with its parameters. */
  readonly operation?: unknown;
  readonly params?: unknown;
  readonly headers?: unknown;
  /** Name of one of several targets. */
  readonly target?: unknown;
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
  /** Raw pairs that nothing overrides. */
  readonly credentials: readonly string[];
  /** Names that no call may set. */
  readonly reserved: ReadonlySet<string>;
  /** The file gives every request a `traceparent`. */
  readonly ownTrace: boolean;
  /** The file gives every request an `x-request-id`. */
  readonly ownRequestId: boolean;
  /** `headers` and `credentials` as raw pairs, for calls that set none of their own. */
  readonly raw: readonly string[];
}

const deadlineHeader = 'x-request-deadline-ms';

export function templateOf(options: EndpointOptions, url: URL): Template {
  const credentials = credentialsOf(options.auth);
  const names = reservedFor(options.auth) ?? credentials.filter((_, index) => index % 2 === 0);
  const headers = Object.create(null) as Record<string, string>;
  headers['user-agent'] = 'dowel';
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = value;
  for (const name of names) delete headers[name];
  const fixedQuery = options.query ?? {};
  return {
    origin: url.origin,
    base: url.pathname.replace(/\/+$/, ''),
    query: encodeQuery(fixedQuery),
    fixedQuery,
    headers,
    credentials,
    reserved: new Set([...names, ...hopByHop, 'host', deadlineHeader]),
    ownTrace: headers['traceparent'] !== undefined,
    ownRequestId: headers['x-request-id'] !== undefined,
    raw: [...Object.entries(headers).flat(), ...credentials],
  };
}

/** Names of credentials that each request has anew; `undefined`: they are always the same. */
function reservedFor(auth: EndpointOptions['auth']): readonly string[] | undefined {
  if (auth?.aws) return ['authorization', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token'];
  return auth?.oauth2 || auth?.tokenExchange || auth?.forward ? ['authorization'] : undefined;
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

/** As they stand in most files: nothing is to be looked at. */
const plainMethods: ReadonlySet<unknown> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']);

/** CONNECT would make a tunnel, TRACE shows credentials to whoever asks. */
const refusedMethods = new Set(['CONNECT', 'TRACE']);

export function methodOf(operation: Operation): string {
  if (operation.method === undefined && operation.operation !== undefined) {
    throw unusable('it names an operation, and its endpoint has no contract that would know it');
  }
  if (operation.method === undefined) return 'POST';
  if (plainMethods.has(operation.method)) return operation.method as string;
  const method = typeof operation.method === 'string' ? operation.method.toUpperCase() : '';
  if (fieldName.test(method) && !refusedMethods.has(method)) return method;
  throw unusable(`${JSON.stringify(operation.method)} is not a method that can be called`);
}

/** GET, HEAD and DELETE send a body only when the step gave one. */
export const sendsBody = (method: string, operation: Operation): boolean =>
  operation.bodyGiven === true || (method !== 'GET' && method !== 'HEAD' && method !== 'DELETE');

// Written out or percent-encoded, with a slash of either kind: a server on the way may read any of them.
const dotSegment = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?=$|[/\\]|%2f|%5c)/i;
const outsideUri = /[^!-~]|[#\\]/;
/** Begins with a slash, and nothing in it could be a query, a dot segment or an error. */
const plainPath = /^\/[\w/:@!$&'()*+,;=~-]*$/;

/** Path and query of a request. The holes in `path` were encoded one by one; here it is held below the base. */
export function pathOf(template: Template, operation: Operation): string {
  const { path, query } = operation;
  if (path === undefined && query === undefined) return (template.base || '/') + mark(template.query);
  const text = path ?? '';
  if (typeof text !== 'string') throw unusable('its path is not text');
  if (query === undefined && plainPath.test(text)) return template.base + text + mark(template.query);
  const question = text.indexOf('?');
  const plain = question === -1 ? text : text.slice(0, question);
  if (outsideUri.test(text)) throw unusable('its path holds characters that must be percent-encoded');
  if ((plain.includes('.') || plain.includes('%')) && dotSegment.test(plain)) {
    throw unusable('its path holds `.` or `..` as a segment');
  }
  const joined = template.base + (plain === '' || plain.startsWith('/') ? plain : `/${plain}`) || '/';
  const written = question === -1 ? '' : text.slice(question + 1);
  const own = query === undefined ? template.query : mergedQuery(template, query);
  return joined + mark(written === '' || own === '' ? written + own : `${written}&${own}`);
}

const mark = (query: string): string => (query === '' ? '' : `?${query}`);

function mergedQuery(template: Template, query: unknown): string {
  if (typeof query !== 'object' || query === null || Array.isArray(query)) throw unusable('its `query` is not a map');
  return encodeQuery(Object.assign(Object.create(null), template.fixedQuery, query));
}

function encodeQuery(query: Readonly<Record<string, unknown>>): string {
  let text = '';
  for (const name in query) {
    const value = query[name];
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one === undefined || one === null) continue;
      if (typeof one === 'object') throw unusable(`its query parameter \`${name}\` is not text`);
      text += `${text === '' ? '' : '&'}${encoded(name)}=${encoded(String(one))}`;
    }
  }
  return text;
}

function encoded(text: string): string {
  // Half a surrogate pair has no encoding: `encodeURIComponent` would throw an error that says nothing.
  if (!text.isWellFormed()) throw unusable('its query holds text that is not Unicode');
  return encodeURIComponent(text);
}

/**
 * Raw header pairs. What came in with the message is not among them: only what the file itself says. `type`: of the body,
 * where the file does not say it.
 */
export function headersOf(
  template: Template,
  exchange: Exchange,
  operation: Operation,
  type: string | undefined,
): string[] {
  const { ownHeaders, life } = exchange;
  const { left } = life;
  const isPlain =
    operation.headers === undefined && ownHeaders === noHeaders && template.headers['content-type'] === undefined;
  const raw = isPlain ? template.raw.slice() : mergedHeaders(template, exchange, operation.headers, type);
  if (isPlain && type !== undefined) raw.push('content-type', type);
  if (isPlain && !template.ownTrace) addTrace(raw, exchange.trace);
  if (isPlain && !template.ownRequestId) raw.push('x-request-id', exchange.origin.requestId ?? exchange.id);
  // Relative, because clocks differ; rounded down, so that the far side gives up no later than we do.
  if (left !== undefined) raw.push(deadlineHeader, String(Math.floor(left)));
  return raw;
}

function addTrace(raw: string[], trace: Trace): void {
  raw.push('traceparent', trace.next());
  const { state } = trace;
  if (state !== undefined) raw.push('tracestate', state);
}

function mergedHeaders(
  template: Template,
  { ownHeaders: own, trace, origin, id }: Exchange,
  given: unknown,
  type: string | undefined,
): string[] {
  const merged = Object.create(null) as Record<string, unknown>;
  if (type !== undefined) merged['content-type'] = type;
  Object.assign(merged, template.headers);
  assignAllowed(merged, own, template.reserved);
  if (given !== undefined) {
    if (typeof given !== 'object' || given === null || Array.isArray(given))
      throw unusable('its `headers` are not a map');
    assignAllowed(merged, given, template.reserved);
  }
  trace.mark(merged);
  const raw: string[] = [];
  merged['x-request-id'] ??= origin.requestId ?? id;
  for (const name in merged) {
    const value = merged[name];
    if (Array.isArray(value)) for (const one of value) push(raw, name, one);
    else push(raw, name, value);
  }
  return raw.concat(template.credentials);
}

function assignAllowed(target: Record<string, unknown>, from: object, reserved: ReadonlySet<string>): void {
  for (const [name, value] of Object.entries(from)) {
    const lower = name.toLowerCase();
    if (!reserved.has(lower)) target[lower] = value;
  }
}

function push(raw: string[], name: string, value: unknown): void {
  if (value === undefined || value === null) return;
  const text = String(value);
  if (typeof value === 'object' || !fieldName.test(name) || badInValue.test(text)) {
    throw unusable(`its header ${JSON.stringify(name)} is not valid`);
  }
  raw.push(name, text);
}

export const unusable = (why: string) => failure('bad-request', { detail: why, sent: false });
