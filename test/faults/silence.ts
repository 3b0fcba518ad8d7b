import type { Clock } from '../../src/core/clock.ts';

/**
 * How long nothing has come though something could have: a taker that was just struck has to start first, and on a busy
 * machine that takes longer than any silence in between.
 */
export class Silence {
  readonly #clock: Clock;
  #since: number;
  #struck: number | undefined;
  #slowest = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  /** An effect was seen. */
  end(): void {
    const now = this.#clock.monotonic();
    if (this.#struck !== undefined) this.#slowest = Math.max(this.#slowest, now - this.#struck);
    this.#struck = undefined;
    this.#since = now;
  }

  /** A fault has struck, and what it struck is there again. */
  struck(): void {
    this.#since = this.#clock.monotonic();
    this.#struck = this.#since;
  }

  get ms(): number {
    return this.#clock.monotonic() - this.#since;
  }

  /** Something has come since the last fault, or the first has not struck yet. */
  get recovered(): boolean {
    return this.#struck === undefined;
  }

  /** The longest time from a fault to the first effect behind it. */
  get slowestRecovery(): number {
    return this.#slowest;
  }
}
