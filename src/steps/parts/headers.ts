import { type Headers, noHeaders } from '../../core/exchange.ts';
import { failure } from '../../errors.ts';
import { textOf } from './text.ts';

function asText(value: unknown, name: string): string {
  const text = textOf(value);
  // A line break would begin another header (RFC 9110 §5.5).
  if (/[\r\n\0]/.test(text)) throw failure('validation', { detail: `the header ${name} cannot hold a line break` });
  return text;
}

/** The value of a `headers` template as headers: lower-case names, text values, nothing for nothing. Throws `validation`. */
export function headersFrom(value: unknown): Headers {
  if (value === null || typeof value !== 'object') return noHeaders;
  const headers = Object.create(null) as Record<string, string | readonly string[]>;
  for (const [name, one] of Object.entries(value)) {
    if (one === undefined || one === null) continue;
    headers[name.toLowerCase()] = Array.isArray(one) ? one.map((each) => asText(each, name)) : asText(one, name);
  }
  return headers;
}

/** `later` wins over `earlier`. */
export function merged(earlier: Headers, later: Headers): Headers {
  if (earlier === noHeaders) return later;
  if (later === noHeaders) return earlier;
  return Object.assign(Object.create(null), earlier, later);
}

export function without(headers: Headers, name: string): Headers {
  if (headers[name] === undefined) return headers;
  const { [name]: _, ...rest } = headers;
  return Object.assign(Object.create(null), rest);
}
