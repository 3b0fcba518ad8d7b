import type { Exchange } from './exchange.ts';

/** What a call does at the far side, as far as a crash is concerned. */
export interface Nature {
  /** It changes nothing there. */
  readonly safe: boolean;
  /** Doing it twice is as good as once. */
  readonly repeatable: boolean;
}

/**
 * The account of one durable message, on disk before and after each effect (a write-ahead log of intents and results).
 * After a crash the flow runs again from its beginning: what is in the account is not done again, its result comes from
 * there.
 */
export interface Journal {
  /**
   * Does `perform` once for this place of this message, and keeps its answer or its error. `at`: the place, the same in
   * every run. Rejects with `unknown-outcome` when a crash came in between and a repeat could do harm.
   */
  effect(
    at: string,
    exchange: Exchange,
    nature: Nature,
    perform: () => Promise<Exchange | undefined>,
  ): Promise<Exchange | undefined>;
  /** An id that is the same in every run: the next one at this position. */
  uuid(position: string): string;
}
