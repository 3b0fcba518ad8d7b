import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/exchange.ts';
import type { Failure } from '../errors.ts';

/** What a store gets from the process it is opened in. */
export interface StoreWorld {
  readonly clock: Clock;
  readonly log: Log;
  /** Name of the integration: what the store is called where the file does not name it. */
  readonly integration: string;
  /** Folder of the integration's file: where an SQLite store is kept when the file does not say. */
  readonly folder: string;
  /**
   * The store no longer knows what is on the disk (a failed fsync, a damaged file). The process must end without
   * acknowledging anything more; a restart reads what really is there. Called once, on a stack of its own (what it
   * throws is an uncaught exception); everything rejects from then on.
   */
  readonly onFatal: (error: Failure) => void;
}
