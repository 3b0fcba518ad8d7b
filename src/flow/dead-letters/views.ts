/** What a person, or a program of theirs, sees of a dead letter. Times are ISO 8601, in UTC. */
import type { Headers } from '../../core/exchange.ts';
import type { Identity } from '../../core/identity.ts';
import type { FoundLetter } from './dead-letters.ts';
import type { KeptLetter } from './record.ts';

/** A line of a list: nothing of what the message says. */
export interface LetterSummary {
  readonly id: string;
  readonly type: 'message' | 'undo';
  readonly integration: string;
  readonly version?: string | undefined;
  readonly flow: string;
  readonly place?: string | undefined;
  readonly code: string;
  readonly kind: string;
  readonly detail: string;
  readonly attempts: number;
  readonly receivedAt: string;
  readonly failedAt: string;
  /** Of the message: stands in its log lines. */
  readonly exchange: string;
  readonly traceId?: string | undefined;
  readonly contentType?: string | undefined;
  /** Bytes of the body. */
  readonly size: number;
}

/** All of it: the message too. */
export interface LetterDetail extends LetterSummary {
  /** The definition that gave it up first is kept: it can be replayed with it. */
  readonly original?: { readonly version?: string | undefined } | undefined;
  readonly source?: Readonly<Record<string, unknown>> | undefined;
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly query?: Readonly<Record<string, string | readonly string[]>> | undefined;
  readonly identity?: Identity | undefined;
  readonly headers: Headers;
  readonly body: BodyView;
}

/** As text where it is text, else as base64; a large one is not in it. */
export type BodyView =
  | { readonly text: string }
  | { readonly base64: string }
  | { readonly omitted: 'it is larger than 1 MiB' };

export const largestShown = 1024 ** 2;

export function summaryOf({ id, letter, size }: KeptLetter): LetterSummary {
  const { type, integration, version, flow, place, code, kind, detail, attempts, traceId, contentType } = letter;
  return {
    id,
    type,
    integration,
    version,
    flow,
    place,
    code,
    kind,
    detail,
    attempts,
    receivedAt: new Date(letter.receivedAt).toISOString(),
    failedAt: new Date(letter.failedAt).toISOString(),
    exchange: letter.id,
    traceId,
    contentType,
    size,
  };
}

/** `body`: `undefined` when it is too large to be shown. */
export function detailOf(found: FoundLetter, body: Uint8Array | undefined): LetterDetail {
  const { headers, source, params, query, identity } = found.letter;
  const { original } = found.head;
  return {
    ...summaryOf(found),
    original: original && { version: original.version },
    source,
    params,
    query,
    identity,
    headers,
    body: body ? bodyView(body) : { omitted: 'it is larger than 1 MiB' },
  };
}

export function bodyView(body: Uint8Array): BodyView {
  try {
    // A mark at the beginning is part of the message: what is shown is what is kept.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    if (!text.includes('\0')) return { text };
  } catch {
    // It is no text.
  }
  return { base64: Buffer.from(body).toString('base64') };
}
