import type { Query } from './query.ts';
import type { LetterDetail, LetterSummary } from './views.ts';

/** With what definition a message is replayed: that of the file as it is now, or the one that gave it up first. */
export const definitions = ['current', 'original'] as const;
export type Which = (typeof definitions)[number];

/** What became of a replay. Where the message failed again, its letter says so, and stays. */
export type Replay =
  | { readonly outcome: 'done'; readonly id: string }
  | { readonly outcome: 'failed'; readonly id: string; readonly letter: LetterSummary };

export interface SummaryPage {
  readonly letters: readonly LetterSummary[];
  /** Where the next page goes on. */
  readonly next?: string | undefined;
}

/**
 * Where a person handles dead letters: of the running integration, or on its store while it does not run. Rejects with
 * `no-letter`, `letter-in-use`, `not-replayable`, `store`.
 */
export interface DeadLetterDesk {
  list(query: Query): Promise<SummaryPage>;
  show(id: string): Promise<LetterDetail>;
  /** The bytes of the message as they came. */
  body(id: string): Promise<Uint8Array>;
  /** Delivers the message to its flow once more; resolves when it is done, or has failed for good. */
  replay(id: string, which: Which): Promise<Replay>;
  /** Nobody will replay it: removes it. `why` goes to the log. */
  discard(id: string, why: string): Promise<void>;
}
