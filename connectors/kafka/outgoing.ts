import { type Exchange, type Failure, failure, type Headers } from '#sdk';

/** What a call of the endpoint asks for, evaluated. */
export interface Operation {
  readonly topic?: unknown;
  readonly key?: unknown;
  readonly partition?: unknown;
}

/** A record on its way out. */
export interface Outgoing {
  readonly topic: string;
  /** As the file says; else it follows from the key. */
  readonly partition: number | undefined;
  readonly key: Buffer | undefined;
  /** None = the key is deleted from a compacted topic. */
  readonly value: Buffer | undefined;
  readonly headers: Map<Buffer, Buffer>;
  readonly timestamp: bigint;
  readonly size: number;
}

/** What a record takes besides its content, at most. */
const overhead = 64;

const invalid = (detail: string): Failure => failure('validation', { detail });

/** Rejects with `validation` for what cannot be a record. */
export async function outgoingOf(exchange: Exchange, defaultTopic: string | undefined): Promise<Outgoing> {
  const operation = (exchange.operation ?? {}) as Operation;
  const { body, services } = exchange;
  const topic = topicOf(operation.topic ?? defaultTopic);
  const partition = partitionOf(operation.partition);
  const key = keyOf(operation.key);
  const content = await exchange.bytes();
  const value = body.isEmpty ? undefined : Buffer.from(content as string);
  const headers = headersOf(exchange.ownHeaders, body.isEmpty ? undefined : body.wireType(services.codec));
  let size = overhead + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, text] of headers) size += name.length + text.length + 10;
  return { topic, partition, key, value, headers, timestamp: BigInt(services.clock.now()), size };
}

function topicOf(topic: unknown): string {
  if (topic === undefined) throw invalid('neither the call nor its endpoint names a `topic`');
  if (typeof topic !== 'string' || !/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/.test(topic)) {
    throw invalid(`${JSON.stringify(topic)} cannot be the name of a topic`);
  }
  return topic;
}

function keyOf(key: unknown): Buffer | undefined {
  if (key === undefined || key === null) return undefined;
  if (typeof key === 'string' || typeof key === 'number' || typeof key === 'boolean') return Buffer.from(String(key));
  throw invalid('the `key` of a record is text: what it yielded is a list or an object');
}

function partitionOf(partition: unknown): number | undefined {
  if (partition === undefined || partition === null) return undefined;
  const number = Number(partition);
  if (!Number.isSafeInteger(number) || number < 0) throw invalid(`${JSON.stringify(partition)} is no \`partition\``);
  return number;
}

function headersOf(own: Headers, contentType: string | undefined): Map<Buffer, Buffer> {
  const headers = new Map<Buffer, Buffer>();
  const add = (name: string, text: string): void => void headers.set(Buffer.from(name), Buffer.from(text));
  if (contentType !== undefined) add('content-type', contentType);
  for (const [name, value] of Object.entries(own)) {
    if (name === 'content-type') continue;
    for (const text of typeof value === 'string' ? [value] : value) add(name, text);
  }
  return headers;
}
