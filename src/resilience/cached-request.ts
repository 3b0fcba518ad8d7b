import { canonicalJson } from '../core/canonical-json.ts';
import type { Exchange, Headers } from '../core/exchange.ts';
import { cacheControl } from './freshness.ts';

/** A call whose answer may be one that was given before. */
export interface CachedRequest {
  /** Calls with the same key have the same answer, but for what `Vary` of the answer names. */
  readonly key: string;
  /** What is read: a call that changes it makes what is kept of it old. */
  readonly target: string;
  /** Of this call, as the file gives them; lower-case names. */
  readonly headers: Headers;
  /** The file asks for an answer that is good now (`cache-control: no-cache`). */
  readonly fresh: boolean;
}

/** Headers that name the call and say nothing about what is asked for. */
const ofTheCall = new Set([
  'baggage',
  'idempotency-key',
  'traceparent',
  'tracestate',
  'x-correlation-id',
  'x-request-id',
]);

/** With one of these the answer depends on what the file has of an earlier one. */
const conditional = ['if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'range'];

interface Operation {
  readonly headers?: unknown;
  readonly path?: unknown;
  readonly query?: unknown;
  readonly bodyGiven?: unknown;
  readonly repeatable?: unknown;
  readonly whole?: unknown;
}

/** `undefined`: this call is none of the cache's affair. `relevant`: the headers that count; absent = all. */
export function cachedRequest(exchange: Exchange, relevant: readonly string[] | undefined): CachedRequest | undefined {
  // What the step does with the answer makes no other one of it.
  const { headers: given, bodyGiven, repeatable: _, whole: __, ...asked } = (exchange.operation ?? {}) as Operation;
  // What it asks for stands in the body.
  if (bodyGiven === true) return undefined;
  const headers = lowerCase(exchange.ownHeaders, given);
  if (conditional.some((name) => headers[name] !== undefined)) return undefined;
  const control = cacheControl(headers);
  if (control.has('no-store')) return undefined;
  const { 'cache-control': ___, ...own } = headers;
  const counting = Object.entries(own).filter(([name]) => (relevant ? relevant.includes(name) : !ofTheCall.has(name)));
  return {
    key: canonicalJson([asked, Object.fromEntries(counting)]),
    target: targetOf(exchange),
    headers,
    fresh: control.has('no-cache') || control.get('max-age') === '0',
  };
}

export function targetOf(exchange: Exchange): string {
  const { path, query } = (exchange.operation ?? {}) as Operation;
  return canonicalJson([path, query]);
}

function lowerCase(own: Headers, given: unknown): Headers {
  const all = Object.create(null) as Record<string, string | readonly string[]>;
  for (const [name, value] of [...Object.entries(own), ...Object.entries(Object(given))]) {
    if (value !== undefined && value !== null) all[name.toLowerCase()] = value as string | readonly string[];
  }
  return all;
}
