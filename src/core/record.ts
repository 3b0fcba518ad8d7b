/** How a body is kept with what belongs to it: a line of JSON, then the bytes as they are. */
import { Body } from './body.ts';
import { type Headers, noHeaders } from './exchange.ts';

const newline = 0x0a;

export interface Split {
  readonly head: unknown;
  readonly body: Uint8Array;
}

export function joinRecord(head: unknown, body: Uint8Array | string): Uint8Array {
  const line = Buffer.from(`${JSON.stringify(head)}\n`);
  return Buffer.concat([line, typeof body === 'string' ? Buffer.from(body) : body]);
}

export function splitRecord(bytes: Uint8Array): Split {
  const at = bytes.indexOf(newline);
  return { head: JSON.parse(Buffer.from(bytes.subarray(0, at)).toString()), body: bytes.subarray(at + 1) };
}

export const keptBody = (bytes: Uint8Array, contentType: string | undefined): Body =>
  bytes.length === 0 ? Body.empty : Body.bytes(bytes, contentType);

/** What came from JSON has the prototype of objects; headers have none, so that `$headers.constructor` is nothing. */
export const keptHeaders = (headers: Headers | undefined): Headers =>
  headers === undefined ? noHeaders : Object.assign(Object.create(null), headers);
