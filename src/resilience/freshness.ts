/** HTTP caching (RFC 9111), as far as it is about one answer: whether it may be kept, and how long it is good. */
import type { Headers } from '../core/exchange.ts';

export interface Judged {
  /** Why it is not kept; `undefined` = it is. */
  readonly refused: string | undefined;
  /** How old it was when it came. Milliseconds, as all. */
  readonly age: number;
  /** How long it is good, counted from when it came; 0 = only after asking whether it still is. */
  readonly fresh: number;
  /** Once it is not fresh, nothing but asking makes it good again. */
  readonly strict: boolean;
}

export interface Arrival {
  /** Wall-clock milliseconds. */
  readonly now: number;
  /** How long the call took. */
  readonly took: number;
}

/** Good as long as the endpoint's `ttl` says; others only as long as they say themselves (RFC 9110 §15.1). */
const usual = new Set([200, 203, 204]);
const whenExplicit = new Set([300, 301, 308, 404, 405, 410, 414, 501]);

/** `ttl`: of answers that say nothing themselves. */
export function judge(status: number, headers: Headers, arrival: Arrival, ttl: number | undefined): Judged {
  const control = cacheControl(headers);
  const lifetime = lifetimeOf(headers, control, arrival.now);
  const age = ageOf(headers, arrival);
  const fresh = control.has('no-cache') ? 0 : lifetime === undefined ? (ttl ?? 0) : lifetime - age;
  const strict = ['no-cache', 'must-revalidate', 'proxy-revalidate', 's-maxage'].some((one) => control.has(one));
  const known = usual.has(status) || (whenExplicit.has(status) && lifetime !== undefined);
  return { refused: known ? refusal(headers, control) : `status ${status}`, age, fresh: Math.max(0, fresh), strict };
}

// What one may be told and another may not. (We answer many: "shared cache".)
function refusal(headers: Headers, control: ReadonlyMap<string, string>): string | undefined {
  for (const directive of ['no-store', 'private']) if (control.has(directive)) return `cache-control: ${directive}`;
  if (headers['set-cookie'] !== undefined) return 'set-cookie';
  return varyOf(headers).includes('*') ? 'vary: *' : undefined;
}

/** Directives by lower-case name; of several with one name the first counts. */
export function cacheControl(headers: Headers): ReadonlyMap<string, string> {
  const directives = new Map<string, string>();
  for (const [, name = '', quoted, token] of textOf(headers['cache-control']).matchAll(directive)) {
    const key = name.toLowerCase();
    if (!directives.has(key)) directives.set(key, quoted ?? token ?? '');
  }
  return directives;
}

const directive = /([!#$%&'*+.^_`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?/g;

/** Lower-case names of the request headers that the answer depends on. */
export const varyOf = (headers: Headers): readonly string[] =>
  textOf(headers['vary'])
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

/** What an answer may be asked about by, when it is no longer fresh (RFC 9110 §13.1). */
export function conditionsOf(headers: Headers): Headers | undefined {
  const etag = textOf(headers['etag']);
  if (etag !== '') return { 'if-none-match': etag };
  const modified = textOf(headers['last-modified']);
  return modified === '' ? undefined : { 'if-modified-since': modified };
}

/** `undefined`: the answer says nothing. */
function lifetimeOf(headers: Headers, control: ReadonlyMap<string, string>, now: number): number | undefined {
  const seconds = control.get('s-maxage') ?? control.get('max-age');
  // One that cannot be read has passed already (RFC 9111 §4.2.1, §5.3).
  if (seconds !== undefined) return /^\d+$/.test(seconds) ? Number(seconds) * 1000 : 0;
  const expires = headers['expires'];
  if (expires === undefined) return undefined;
  const date = Date.parse(textOf(headers['date']));
  const lifetime = Date.parse(textOf(expires)) - (Number.isNaN(date) ? now : date);
  return Number.isNaN(lifetime) ? 0 : lifetime;
}

/** RFC 9111 §4.2.3: how long it has been under way, as its sender's clock or the caches before us say. */
function ageOf(headers: Headers, { now, took }: Arrival): number {
  const said = textOf(headers['age']);
  const corrected = (/^\d+$/.test(said) ? Number(said) * 1000 : 0) + took;
  const date = Date.parse(textOf(headers['date']));
  return Math.max(corrected, Number.isNaN(date) ? 0 : now - date);
}

const textOf = (header: Headers[string] | undefined): string =>
  header === undefined ? '' : typeof header === 'string' ? header : header.join(', ');
