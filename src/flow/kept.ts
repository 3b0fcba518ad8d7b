import type { Store } from '../store/store.ts';
import type { DeadLetters } from './dead-letters/dead-letters.ts';
import type { Queues } from './durable-queue/queues.ts';
import type { Ownership } from './ownership.ts';
import type { Runs } from './runs.ts';

/** What outlives a version of the integration. */
export interface Kept {
  readonly store: Store;
  readonly ownership: Ownership;
  readonly runs: Runs;
  readonly queues: Queues;
  readonly letters: () => Promise<DeadLetters>;
  /** What steps have kept, and what goes on by itself just now, by id. */
  readonly underWay: Set<string>;
}
