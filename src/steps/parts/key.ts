import { hash } from 'node:crypto';
import { canonicalJson } from '../../core/canonical-json.ts';
import type { Exchange } from '../../core/exchange.ts';

/** What a `key` expression yielded, as text; `undefined` = nothing. A number and its digits are the same key. */
export function keyText(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'object') return String(value);
  return Array.isArray(value) && value.length === 0 ? undefined : canonicalJson(value);
}

/** Of a fixed length, whatever a sender gives for a key; and a store shows nobody's keys. */
export const hashed = (text: string | Uint8Array): string => hash('sha256', text, 'base64url');

/**
 * Tells a message that came again from another one with the same key: by its body and, where it has them, method, path,
 * query and sender: what was answered to one is for nobody else.
 */
export async function fingerprint(exchange: Exchange): Promise<string> {
  const { source, query, identity } = exchange.origin;
  const method = source?.['method'];
  const asked: unknown[] =
    typeof method === 'string' ? [method === 'HEAD' ? 'GET' : method, source?.['path'], query] : [];
  if (identity) asked.push({ scheme: identity.scheme, subject: identity.subject });
  const body = exchange.body.isValue ? canonicalJson(await exchange.value()) : await exchange.bytes();
  return hashed(`${canonicalJson(asked)} ${hashed(body)}`);
}
