import type { Headers } from '../core/exchange.ts';
import type { Identity } from '../core/identity.ts';
import type { Kind } from '../errors.ts';

/** A message that was given up, with what a person needs to decide about it. No secret stands in it. */
export interface DeadLetter {
  /** Of the message: stands in its log lines too. */
  readonly id: string;
  /** `message`: what came in. `undo`: a compensation that kept failing, which a person must do. */
  readonly type: 'message' | 'undo';
  readonly integration: string;
  readonly version: string | undefined;
  readonly flow: string;
  /** The step that failed. */
  readonly place: string | undefined;
  readonly code: string;
  readonly kind: Kind;
  readonly detail: string;
  readonly attempts: number;
  /** Milliseconds since the epoch: when it came first, as far as is known, and when it was given up. */
  readonly receivedAt: number;
  readonly failedAt: number;
  readonly traceId?: string | undefined;
  /** As they came in. */
  readonly headers: Headers;
  /** What `$source` showed. */
  readonly source: Readonly<Record<string, unknown>> | undefined;
  /** What `$params` and `$query` showed, where the source has them. */
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly query?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Who sent it, where its source asked. */
  readonly identity?: Identity | undefined;
  readonly contentType: string | undefined;
  /** Of the definition of the flow that gave it up. */
  readonly definitionHash?: string | undefined;
}

/** Where dead letters are kept that the file sends nowhere else. */
export interface DeadLetterKeeper {
  /** On disk when it resolves. Keeping a letter with the same `id` and `type` again replaces it. */
  keep(letter: DeadLetter, body: Uint8Array): Promise<void>;
}
