import { type Exchange, failure, type Headers } from '#sdk';
import type { Outgoing, Properties } from './publisher.ts';

/** The options of one call, evaluated; what the engine adds stands last. */
export interface Operation {
  readonly routingKey?: unknown;
  readonly mandatory?: boolean;
  readonly persistent?: boolean;
  readonly headers?: unknown;
  readonly messageId?: unknown;
  readonly correlationId?: unknown;
  readonly replyTo?: unknown;
  readonly expiration?: unknown;
  readonly priority?: unknown;
  readonly type?: unknown;
  /** The step waits for an answer. */
  readonly answered?: boolean;
}

/** What all messages of an endpoint have in common. */
export interface Template {
  readonly routingKey: string | undefined;
  readonly appId: string;
}

/** What a request-reply sets itself. */
export interface Asking {
  readonly correlationId: string;
  readonly replyTo: string;
  /** Milliseconds after which nobody waits for the answer. */
  readonly expiration: number | undefined;
}

const unusable = (detail: string): Error => failure('bad-request', { detail, sent: false });

/** The message that goes out for an exchange, once its bytes are there. */
export function outgoingOf(
  exchange: Exchange,
  bytes: Uint8Array | string,
  { routingKey: usual, appId }: Template,
  asking?: Asking,
): Outgoing {
  const operation = (exchange.operation ?? {}) as Operation;
  const { services, ownHeaders, trace, body } = exchange;
  const routingKey = textOf('routingKey', operation.routingKey) ?? usual;
  if (routingKey === undefined) throw unusable('it has no routing key; give `routingKey` on the step or the endpoint');
  const contentType = single(ownHeaders['content-type']) ?? (body.isEmpty ? undefined : body.wireType(services.codec));
  const messageId =
    textOf('messageId', operation.messageId) ?? single(ownHeaders['idempotency-key']) ?? services.random.uuid();
  const expiration = expirationOf(operation.expiration) ?? asking?.expiration;
  const headers = headersOf(ownHeaders, operation.headers);
  trace.mark(headers);
  const properties: Properties = {
    contentType,
    contentEncoding: single(ownHeaders['content-encoding']),
    headers,
    deliveryMode: (operation.persistent ?? true) ? 2 : 1,
    priority: priorityOf(operation.priority),
    correlationId: asking?.correlationId ?? textOf('correlationId', operation.correlationId),
    replyTo: asking?.replyTo ?? textOf('replyTo', operation.replyTo),
    expiration: expiration === undefined ? undefined : String(expiration),
    messageId,
    timestamp: Math.floor(services.clock.now() / 1000),
    type: textOf('type', operation.type),
    appId,
  };
  return { routingKey, content: bufferOf(bytes), mandatory: operation.mandatory ?? true, properties };
}

export const bufferOf = (bytes: Uint8Array | string): Buffer =>
  typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const single = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.[0];

const inFields = new Set(['content-type', 'content-encoding']);

/** Text that the file set, and the typed values of the call over it. */
export function headersOf(own: Headers, given: unknown): Record<string, unknown> {
  const headers: Record<string, unknown> = {};
  for (const name in own) {
    if (!inFields.has(name)) headers[name] = own[name];
  }
  if (given === undefined || given === null) return headers;
  if (typeof given !== 'object' || Array.isArray(given)) throw unusable('its `headers` are not a map');
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && value !== null) headers[name] = value;
  }
  return headers;
}

function textOf(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  if (typeof text !== 'string') throw unusable(`\`${name}\` is not text`);
  if (Buffer.byteLength(text) > 255) throw unusable(`\`${name}\` is longer than 255 bytes`);
  return text;
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function expirationOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const [, number, unit = 'ms'] = /^(\d+)(ms|s|m|h|d)?$/.exec(String(value)) ?? [];
  const ms = Number(number) * (units[unit] ?? 1);
  // The broker counts in 32 bits.
  if (number === undefined || ms >= 2 ** 32) {
    throw unusable('`expiration` is not a time such as `30s`, or a number of milliseconds, below 49 days');
  }
  return ms;
}

function priorityOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const priority = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (!Number.isInteger(priority) || Number(priority) < 0 || Number(priority) > 255) {
    throw unusable('`priority` is not a whole number from 0 to 255');
  }
  return Number(priority);
}
