import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/exchange.ts';
import { toFailure } from '../errors.ts';

/** Between two portions when there is more: the messages' turn. */
const breath = 20;
/** Between two looks. */
const pause = 1_000;
/** After a look that failed. */
const patience = 30_000;

/** Removes in the background, a portion at a time, what has expired. Nobody sees it any more; it only takes room. */
export class Sweeper {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #portion: () => Promise<Swept>;
  #cancel: (() => void) | undefined;
  #at = Number.POSITIVE_INFINITY;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(clock: Clock, log: Log, portion: () => Promise<Swept>) {
    this.#clock = clock;
    this.#log = log;
    this.#portion = portion;
  }

  /** Something will have expired in `ms`. */
  expect(ms: number): void {
    this.#arm(Math.max(pause, ms));
  }

  /** Waits for the portion under way; there is no other. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#running;
  }

  #arm(ms: number): void {
    const at = this.#clock.monotonic() + ms;
    if (this.#stopped || at >= this.#at) return;
    this.#cancel?.();
    this.#at = at;
    this.#cancel = this.#clock.after(
      ms,
      () => {
        this.#at = Number.POSITIVE_INFINITY;
        this.#running = this.#sweep();
      },
      true,
    );
  }

  async #sweep(): Promise<void> {
    try {
      const { more, next } = await this.#portion();
      if (more) this.#arm(breath);
      else if (next !== undefined) this.expect(next);
    } catch (thrown) {
      this.#log.warn('what has expired in the store could not be removed yet', { code: toFailure(thrown).code });
      this.#arm(patience);
    }
  }
}

export interface Swept {
  /** The portion was full: there is more already. */
  readonly more: boolean;
  /** Milliseconds until there is something again; `undefined` = until {@link Sweeper.expect} says so. */
  readonly next: number | undefined;
}
