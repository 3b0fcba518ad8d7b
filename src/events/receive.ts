import { Body } from '../core/body.ts';
import type { Exchange } from '../core/exchange.ts';
import { type Attributes, checked, noEvent } from './attributes.ts';
import { fromHeaders } from './binary.ts';
import type { EventBinding, SourceEvents } from './options.ts';
import { fromDocument, structuredType } from './structured.ts';

const family = /^application\/cloudevents(-batch)?(?:\+([^;\s]+))?\s*(?:;|$)/i;

/** Opens the event that a message is: `$event`, and its data as the body. */
export async function received(
  exchange: Exchange,
  { required }: SourceEvents,
  binding: EventBinding | undefined,
): Promise<Exchange> {
  const { body, headers } = exchange;
  const { contentType } = body;
  const [named, batch, format] = family.exec(contentType ?? '') ?? [];
  if (batch) throw noEvent('it is a batch of events; send them one by one');
  if (format && format.toLowerCase() !== 'json') throw noEvent(`its format is ${format}; send JSON`);
  if (named) return opened(exchange, await exchange.value());
  const attributes = binding && fromHeaders(headers, contentType, binding);
  if (attributes) return withEvent(await typed(exchange, attributes), checked(attributes));
  // Protocols without a field for the content type (MQTT 3.1.1, files) can only carry whole documents.
  if (contentType === undefined || !binding) {
    const value = body.isEmpty ? undefined : await exchange.value();
    if (isDocument(value)) return opened(exchange, value);
  }
  if (!required) return exchange;
  const where = binding ? `no header \`${binding.prefix}specversion\`, ` : '';
  throw noEvent(`the message has ${where}and its content type is not \`${structuredType}\``);
}

/** Where the protocol did not say what the body is, the event does. */
async function typed(exchange: Exchange, { datacontenttype }: Attributes): Promise<Exchange> {
  const { body } = exchange;
  if (body.contentType !== undefined || body.isEmpty || typeof datacontenttype !== 'string') return exchange;
  return exchange.withBody(Body.bytes(await exchange.bytes(), datacontenttype));
}

const isDocument = (value: unknown): boolean => typeof value === 'object' && value !== null && 'specversion' in value;

function opened(exchange: Exchange, document: unknown): Exchange {
  const { attributes, body } = fromDocument(document);
  const { 'content-type': _, ...others } = exchange.headers;
  const type = body.contentType === undefined ? {} : { 'content-type': body.contentType };
  const headers = Object.assign(Object.create(null), others, type) as Exchange['headers'];
  return withEvent(exchange.with({ body, headers }), checked(attributes));
}

const withEvent = (exchange: Exchange, event: Attributes): Exchange =>
  exchange.with({ origin: { ...exchange.origin, event } });
