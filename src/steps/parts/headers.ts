import { type Headers, noHeaders } from '../../core/exchange.ts';

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value);

/** The value of a `headers` template as headers: lower-case names, text values, nothing for nothing. */
export function headersFrom(value: unknown): Headers {
  if (value === null || typeof value !== 'object') return noHeaders;
  const headers = Object.create(null) as Record<string, string | readonly string[]>;
  for (const [name, one] of Object.entries(value)) {
    if (one === undefined || one === null) continue;
    headers[name.toLowerCase()] = Array.isArray(one) ? one.map(asText) : asText(one);
  }
  return headers;
}

/** `later` wins over `earlier`. */
export function merged(earlier: Headers, later: Headers): Headers {
  if (earlier === noHeaders) return later;
  if (later === noHeaders) return earlier;
  return Object.assign(Object.create(null), earlier, later);
}
