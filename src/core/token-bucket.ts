import type { Clock } from './clock.ts';
import type { Rate } from './written.ts';

/** Tokens come in evenly, up to `burst`; one that is not there yet can be taken in advance, and waited for. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(rate: Rate, burst: number | undefined, clock: Clock) {
    this.#clock = clock;
    this.#perMs = rate.count / rate.per;
    this.#burst = burst ?? Math.max(1, rate.count);
    this.#tokens = this.#burst;
    this.#at = clock.monotonic();
  }

  /** Takes a token if it comes within `maxWait`: the milliseconds until it is there, else `undefined` and how long it would take. */
  take(maxWait: number): { readonly wait: number } | { readonly refused: number } {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
    const wait = this.#tokens >= 1 ? 0 : (1 - this.#tokens) / this.#perMs;
    if (wait > maxWait) return { refused: wait };
    this.#tokens -= 1;
    return { wait };
  }

  /** Whole tokens that are there. */
  get left(): number {
    const gone = this.#clock.monotonic() - this.#at;
    return Math.max(0, Math.floor(Math.min(this.#burst, this.#tokens + gone * this.#perMs)));
  }

  /** A token that was taken in advance, and is not needed. */
  giveBack(): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + 1);
  }
}
