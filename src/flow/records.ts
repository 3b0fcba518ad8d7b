/** How a message, an answer and an error are kept as bytes. */
import type { Body, Codec } from '../core/body.ts';
import { type Exchange, type Headers, noHeaders, type Origin, type Response } from '../core/exchange.ts';
import { joinRecord, keptBody, keptHeaders, splitRecord } from '../core/record.ts';
import { type Facts, Failure, type Kind } from '../errors.ts';

/** A message as it came in, and what its flow looked like. */
export interface StartRecord {
  readonly id: string;
  readonly flow: string;
  /** Of the definition of the flow. */
  readonly hash: string;
  readonly headers: Headers;
  readonly origin: Origin;
  readonly contentType: string | undefined;
  /** Its source was told that it is done: nobody else has it any more. */
  readonly owned?: boolean | undefined;
  /** How often it began again with an empty account. */
  readonly round?: number | undefined;
  /** How often it was taken up again after a process had ended. */
  readonly resumed?: number | undefined;
}

export function writeStart(record: StartRecord, body: Uint8Array | string): Uint8Array {
  return joinRecord(record, body);
}

export function readStart(bytes: Uint8Array): { readonly record: StartRecord; readonly body: Body } {
  const { head, body } = splitRecord(bytes);
  const record = head as StartRecord;
  return { record: { ...record, headers: keptHeaders(record.headers) }, body: keptBody(body, record.contentType) };
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
    readonly doubtful: boolean;
  };
}

export async function writeAnswer(answer: Exchange | undefined, codec: Codec): Promise<Uint8Array> {
  if (!answer) return joinRecord({}, '');
  const body = await answer.bytes();
  const { headers, response } = answer;
  return joinRecord({ headers, response, contentType: answer.body.wireType(codec) } satisfies AnswerHead, body);
}

export function writeError({ code, kind, status, message, facts, doubtful }: Failure): Uint8Array {
  return joinRecord({ error: { code, kind, status, message, facts, doubtful } } satisfies ErrorHead, '');
}

/** The answer, as the endpoint would give it for `exchange`; throws the error that was kept. */
export function readResult(bytes: Uint8Array, exchange: Exchange): Exchange | undefined {
  const { head, body } = splitRecord(bytes);
  if ('error' in (head as object)) {
    const { code, kind, status, message, facts, doubtful } = (head as ErrorHead).error;
    const error = new Failure(code, kind, status, message, facts);
    error.doubtful = doubtful;
    throw error;
  }
  const { headers, response, contentType } = head as AnswerHead;
  if (!headers) return undefined;
  return exchange.with({
    body: keptBody(body, contentType),
    headers: keptHeaders(headers),
    ownHeaders: noHeaders,
    response: response && { ...response, headers: keptHeaders(response.headers) },
  });
}
