/** Binary mode: attributes are headers, the data is the body as it is. */
import type { Headers } from '../core/exchange.ts';
import { type Attributes, isName, noEvent } from './attributes.ts';
import type { EventBinding } from './options.ts';

/** In most protocols the content type has a field of its own. */
const elsewhere = 'datacontenttype';

export function toHeaders(attributes: Attributes, binding: EventBinding): Headers {
  const { prefix, percentEncoded, withContentType } = binding;
  const headers = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(attributes)) {
    if (name === elsewhere && !withContentType) continue;
    headers[prefix + name] = percentEncoded ? encoded(String(value)) : String(value);
  }
  return headers;
}

/** `undefined`: the headers are none of an event. */
export function fromHeaders(
  headers: Headers,
  contentType: string | undefined,
  binding: EventBinding,
): Attributes | undefined {
  const prefixes = [binding.prefix.toLowerCase(), ...(binding.accepts ?? [])];
  const prefix = prefixes.find((one) => headers[`${one}specversion`] !== undefined);
  if (prefix === undefined) return undefined;
  const attributes = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of Object.entries(headers)) {
    const attribute = name.slice(prefix.length);
    if (!name.startsWith(prefix) || !isName(attribute)) continue;
    const text = typeof value === 'string' ? value : value.join(',');
    attributes[attribute] = binding.percentEncoded ? decoded(text, attribute) : text;
  }
  if (contentType !== undefined) attributes[elsewhere] = contentType;
  return attributes;
}

/** HTTP binding §3.1.3.2: all but visible ASCII, and what would be mistaken. */
function encoded(text: string): string {
  const hex = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return text.toWellFormed().replace(/[^!#$&-~]/gu, (character) => [...Buffer.from(character)].map(hex).join(''));
}

function decoded(text: string, name: string): string {
  const quoted = /^"(.*)"$/s.exec(text)?.[1];
  const plain = quoted === undefined ? text : quoted.replace(/\\(.)/gs, '$1');
  if (!plain.includes('%')) return plain;
  try {
    return decodeURIComponent(plain);
  } catch {
    throw noEvent(`its \`${name}\` is not percent-encoded UTF-8`);
  }
}
