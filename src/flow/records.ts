/** How a message, an answer and an error are kept as bytes: a line of JSON, then the body as it is. */
import { Body, type Codec } from '../core/body.ts';
import { type Exchange, type Headers, noHeaders, type Origin, type Response } from '../core/exchange.ts';
import { type Facts, Failure, type Kind } from '../errors.ts';

const newline = 0x0a;

function join(head: unknown, body: Uint8Array | string): Uint8Array {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), Buffer.from(body as string)]);
}

function split(bytes: Uint8Array): { readonly head: unknown; readonly body: Uint8Array } {
  const at = bytes.indexOf(newline);
  return { head: JSON.parse(Buffer.from(bytes.subarray(0, at)).toString()), body: bytes.subarray(at + 1) };
}

const bodyFrom = (bytes: Uint8Array, contentType: string | undefined): Body =>
  bytes.length === 0 ? Body.empty : Body.bytes(bytes, contentType);

// What came from JSON has the prototype of objects; headers have none, so that `$headers.constructor` is nothing.
const headersFrom = (headers: Headers): Headers => Object.assign(Object.create(null), headers);

/** A message as it came in, and what its flow looked like. */
export interface StartRecord {
  readonly id: string;
  readonly flow: string;
  /** Of the definition of the flow. */
  readonly hash: string;
  readonly headers: Headers;
  readonly origin: Origin;
  readonly contentType: string | undefined;
}

export function writeStart(record: StartRecord, body: Uint8Array | string): Uint8Array {
  return join(record, body);
}

export function readStart(bytes: Uint8Array): { readonly record: StartRecord; readonly body: Body } {
  const { head, body } = split(bytes);
  const record = head as StartRecord;
  return { record: { ...record, headers: headersFrom(record.headers) }, body: bodyFrom(body, record.contentType) };
}

interface AnswerHead {
  /** Absent: the far side says nothing. */
  readonly headers?: Headers;
  readonly response?: Response | undefined;
  readonly contentType?: string | undefined;
}

interface ErrorHead {
  readonly error: {
    readonly code: string;
    readonly kind: Kind;
    readonly status: number;
    readonly message: string;
    readonly facts: Facts;
  };
}

export async function writeAnswer(answer: Exchange | undefined, codec: Codec): Promise<Uint8Array> {
  if (!answer) return join({}, '');
  const body = await answer.bytes();
  const { headers, response } = answer;
  return join({ headers, response, contentType: answer.body.wireType(codec) } satisfies AnswerHead, body);
}

export function writeError({ code, kind, status, message, facts }: Failure): Uint8Array {
  return join({ error: { code, kind, status, message, facts } } satisfies ErrorHead, '');
}

/** The answer, as the endpoint would give it for `exchange`; throws the error that was kept. */
export function readResult(bytes: Uint8Array, exchange: Exchange): Exchange | undefined {
  const { head, body } = split(bytes);
  if ('error' in (head as object)) {
    const { code, kind, status, message, facts } = (head as ErrorHead).error;
    throw new Failure(code, kind, status, message, facts);
  }
  const { headers, response, contentType } = head as AnswerHead;
  if (!headers) return undefined;
  return exchange.with({
    body: bodyFrom(body, contentType),
    headers: headersFrom(headers),
    ownHeaders: noHeaders,
    response: response && { ...response, headers: headersFrom(response.headers) },
  });
}
