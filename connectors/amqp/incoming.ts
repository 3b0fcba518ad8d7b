import type { ConsumeMessage, MessageProperties } from 'amqplib';
import { Body, type Headers, type Incoming } from '#sdk';
import { foreignHeaders, type Handwriting, marksOf, own } from './own-headers.ts';

type Table = Readonly<Record<string, unknown>>;

/** A message as the flow gets it. */
export function incomingOf(message: ConsumeMessage, ours: Handwriting, now: number): Incoming {
  const { properties, content } = message;
  const table: Table = properties.headers ?? {};
  const marks = marksOf(message, ours);
  const contentType = textOf(properties.contentType);
  return {
    body: Body.bytes(content, contentType),
    headers: headersOf(table, properties, marks),
    origin: {
      source: sourceOf(message, marks, ours.queue),
      receivedAt: now,
      attempt: attemptOf(message, marks, ours.counts),
    },
  };
}

/**
 * How often it was tried: what we wrote when we let it wait, and what the broker counted since. A quorum queue writes its
 * count over whatever came with the message. A classic queue only knows that it was delivered before: a header that says
 * more is the sender's.
 */
function attemptOf({ fields, properties }: ConsumeMessage, marks: Table, counts: boolean): number {
  const written = marks[own.attempt];
  const before = Number.isInteger(written) && Number(written) >= 1 ? Number(written) : 1;
  if (!fields.redelivered) return before;
  const table: Table = properties.headers ?? {};
  const counted = counts ? table['x-delivery-count'] : undefined;
  return before + (Number.isInteger(counted) && Number(counted) >= 0 ? Number(counted) : 1);
}

const texts = ['correlationId', 'replyTo', 'type', 'appId'] as const;

function sourceOf({ fields, properties }: ConsumeMessage, marks: Table, queue: string): Table {
  const { exchange, routingKey, redelivered, consumerTag } = fields;
  const source: Record<string, unknown> = {
    queue,
    exchange: textOf(marks[own.exchange]) ?? exchange,
    routingKey: textOf(marks[own.routingKey]) ?? routingKey,
    redelivered,
    consumerTag,
  };
  const messageId = textOf(marks[own.messageId]) ?? textOf(properties.messageId);
  if (messageId) source['messageId'] = messageId;
  const expiration = textOf(marks[own.expiration]) ?? textOf(properties.expiration);
  if (expiration !== undefined) source['expiration'] = expiration;
  for (const name of texts) {
    const text = textOf(properties[name]);
    if (text !== undefined) source[name] = text;
  }
  // One that waited came back under our name; nobody vouched for its sender, or it would not have waited there.
  const userId = marks[own.attempt] === undefined ? textOf(properties.userId) : undefined;
  if (userId !== undefined) source['userId'] = userId;
  const { priority, timestamp }: { readonly priority?: unknown; readonly timestamp?: unknown } = properties;
  if (typeof priority === 'number') source['priority'] = priority;
  const time = typeof timestamp === 'number' ? isoTime(timestamp) : undefined;
  if (time !== undefined) source['timestamp'] = time;
  return source;
}

/** AMQP counts seconds; some senders write milliseconds. */
function isoTime(timestamp: number): string | undefined {
  const ms = timestamp > 100_000_000_000 ? timestamp : timestamp * 1000;
  return ms >= 0 && ms <= 8.64e15 ? new Date(ms).toISOString() : undefined;
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** All headers as text, under lower-case names, beside what the protocol keeps in fields of its own. */
export function headersOf(table: Table, properties: Partial<MessageProperties>, marks?: Table): Headers {
  const headers = Object.create(null) as Record<string, string | readonly string[]>;
  for (const [name, value] of Object.entries(foreignHeaders(table, marks))) {
    const text = headerText(value);
    if (text !== undefined) headers[name.toLowerCase()] = text;
  }
  const type = textOf(properties.contentType);
  const encoding = textOf(properties.contentEncoding);
  if (type !== undefined) headers['content-type'] = type;
  if (encoding !== undefined) headers['content-encoding'] = encoding;
  return headers;
}

function headerText(value: unknown): string | readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  if (typeof value !== 'object') return String(value);
  if (Buffer.isBuffer(value)) return value.toString('base64');
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  const { '!': kind, value: inner } = value as { readonly '!'?: unknown; readonly value?: unknown };
  if (kind === 'timestamp' && typeof inner === 'number') return isoTime(inner);
  if (kind !== undefined && typeof inner === 'number') return String(inner);
  return JSON.stringify(value);
}
