import { Body, type Headers, type Incoming } from '#sdk';
import { type Partition, partitionName } from './partition.ts';
import type { Fetched } from './visible-records.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as text; as base64 where they are none. */
function textOf(bytes: Uint8Array): { readonly text: string; readonly binary: boolean } {
  try {
    return { text: utf8.decode(bytes), binary: false };
  } catch {
    return { text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'), binary: true };
  }
}

/** Lower-case names; one that comes several times is a list, in its order; a header without a value is empty text. */
export function headersOf(fields: Fetched['headers']): Headers {
  const headers: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of fields) {
    const key = textOf(name ?? Buffer.alloc(0)).text.toLowerCase();
    const text = value ? textOf(value).text : '';
    const known = headers[key];
    headers[key] = known === undefined ? text : [...(typeof known === 'string' ? [known] : known), text];
  }
  return headers;
}

/** What the flow gets of a record, and what `$source` shows of it. */
export function incomingOf(
  { topic, index }: Pick<Partition, 'topic' | 'index'>,
  record: Fetched,
  group: string,
  receivedAt: number,
): Incoming {
  const headers = headersOf(record.headers);
  const contentType = headers['content-type'];
  const type = typeof contentType === 'string' ? contentType : contentType?.[0];
  const offset = Number(record.offset);
  const key = record.key === null ? undefined : textOf(record.key);
  return {
    // What was fetched together stays in memory together: one slow record must not hold a megabyte of others.
    body: record.value === null ? Body.empty : Body.bytes(Buffer.from(record.value), type),
    headers,
    origin: {
      source: {
        topic,
        partition: index,
        offset,
        ...(key && { key: key.text }),
        ...(key?.binary && { keyEncoding: 'base64' }),
        timestamp: record.timestamp < 0 ? undefined : new Date(record.timestamp).toISOString(),
        group,
      },
      receivedAt,
      attempt: 1,
    },
    key: `${partitionName(topic, index)}/${record.offset}`,
    lane: partitionName(topic, index),
  };
}
