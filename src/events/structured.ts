/** Structured mode: one JSON document holds attributes and data (JSON event format 1.0). */
import { Body } from '../core/body.ts';
import type { Exchange } from '../core/exchange.ts';
import { type Attributes, isName, noEvent } from './attributes.ts';

export const structuredType = 'application/cloudevents+json';

const json = /^[^;\s/]+\/(?:[^;\s]+\+)?json\s*(?:;|$)/i;
const text = /^(?:text\/|application\/(?:xml|[^;\s]+\+xml|x-www-form-urlencoded)\s*(?:;|$))/i;
const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i;

/** The body of the exchange as the data of a document. */
export async function toDocument(exchange: Exchange, attributes: Attributes): Promise<Body> {
  return Body.value({ ...attributes, ...(await dataOf(exchange)) }, structuredType);
}

async function dataOf(exchange: Exchange): Promise<Readonly<Record<string, unknown>>> {
  const { body, services } = exchange;
  if (body.isEmpty) return {};
  const type = body.wireType(services.codec) ?? services.codec.defaultType;
  if (json.test(type)) return { data: await exchange.value() };
  const bytes = Buffer.from(await exchange.bytes());
  const data = text.test(type) ? asText(bytes, type) : undefined;
  return data === undefined ? { data_base64: bytes.toString('base64') } : { data };
}

/** Only what is the same bytes again. */
function asText(bytes: Buffer, type: string): string | undefined {
  const label = charset.exec(type)?.[1]?.toLowerCase() ?? 'utf-8';
  if (!['utf-8', 'us-ascii'].includes(label) || bytes.indexOf('\ufeff') === 0) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

export interface Opened {
  readonly attributes: Attributes;
  readonly body: Body;
}

export function fromDocument(document: unknown): Opened {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw noEvent('it is not a JSON object');
  }
  const attributes = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of Object.entries(document)) {
    if (name === 'data' || !isName(name) || value === null) continue;
    if (typeof value === 'object') throw noEvent(`its attribute \`${name}\` is not a simple value`);
    attributes[name] = value;
  }
  return { attributes, body: bodyOf(document as Readonly<Record<string, unknown>>) };
}

function bodyOf({ data, data_base64: base64, datacontenttype }: Readonly<Record<string, unknown>>): Body {
  const type = typeof datacontenttype === 'string' ? datacontenttype : undefined;
  if (base64 !== undefined && base64 !== null) {
    if (data !== undefined) throw noEvent('it has both `data` and `data_base64`');
    if (typeof base64 !== 'string' || !/^[\w+/-]*={0,2}$/.test(base64))
      throw noEvent('its `data_base64` is not Base64');
    return Body.bytes(Buffer.from(base64, 'base64'), type ?? 'application/octet-stream');
  }
  if (data === undefined) return Body.empty;
  // A text that is not JSON is the data itself; all else is JSON, whatever it is called.
  if (typeof data === 'string' && type !== undefined && !json.test(type)) return Body.bytes(data, type);
  return Body.value(data, type !== undefined && json.test(type) ? type : 'application/json');
}
