/** How a message that waits is kept as bytes. */
import type { Codec } from '../../core/body.ts';
import type { Headers, Origin } from '../../core/exchange.ts';
import { joinRecord, keptBody, keptHeaders, splitRecord } from '../../core/record.ts';
import { failure } from '../../errors.ts';
import type { Incoming } from '../../sdk.ts';
import { limits } from '../../store/store.ts';

interface Head {
  readonly id: string;
  readonly headers: Headers;
  readonly origin: Origin;
  readonly contentType: string | undefined;
}

/** A message as it comes out of a queue. */
export interface Kept extends Pick<Incoming, 'headers' | 'origin' | 'body'> {
  readonly id: string;
}

export async function writeKept(id: string, { headers, origin, body }: Incoming, codec: Codec): Promise<Uint8Array> {
  const bytes = await body.bytes(codec);
  const head: Head = { id, headers, origin, contentType: body.wireType(codec) };
  const record = joinRecord(head, bytes);
  // What stands before the body has to fit too.
  if (record.length > limits.value)
    throw failure('too-large', { limit: limits.value - (record.length - lengthOf(bytes)) });
  return record;
}

export function readKept(bytes: Uint8Array): Kept {
  const { head, body } = splitRecord(bytes);
  const { id, headers, origin, contentType } = head as Head;
  return { id, headers: keptHeaders(headers), origin, body: keptBody(body, contentType) };
}

const lengthOf = (bytes: Uint8Array | string): number =>
  typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
