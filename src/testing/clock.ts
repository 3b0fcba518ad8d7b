import type { Clock } from '../core/clock.ts';

interface Timer {
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly run: () => void;
  readonly background: boolean;
}

/** Time that passes only when the test lets it: a clock that is driven from timer to timer. */
export class DrivenClock implements Clock {
  readonly #start: number;
  #elapsed = 0;
  /** The latest first: the next is taken from the end. */
  readonly #timers: Timer[] = [];
  #foreground = 0;

  /** `start`: milliseconds since the epoch. */
  constructor(start: number) {
    this.#start = start;
  }

  now(): number {
    return this.#start + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(ms: number, run: () => void, background = false): () => void {
    const timer = { at: this.#elapsed + Math.max(0, ms), run, background };
    // Among equals the one that was set first comes first.
    this.#timers.splice(this.#timers.findLastIndex((one) => one.at > timer.at) + 1, 0, timer);
    if (!background) this.#foreground++;
    return () => {
      const at = this.#timers.lastIndexOf(timer);
      if (at < 0) return;
      this.#timers.splice(at, 1);
      if (!background) this.#foreground--;
    };
  }

  /** Whether anything waits that keeps a process alive. */
  get waits(): boolean {
    return this.#foreground > 0;
  }

  /** When the next timer fires (monotonic milliseconds); `undefined` when none waits. */
  get next(): number | undefined {
    return this.#timers.at(-1)?.at;
  }

  /** Jumps to the next timer and fires it. */
  fire(): void {
    const timer = this.#timers.pop();
    if (!timer) return;
    if (!timer.background) this.#foreground--;
    this.#elapsed = Math.max(this.#elapsed, timer.at);
    timer.run();
  }

  /** Jumps to a moment, at which or before which no timer waits. */
  jump(to: number): void {
    this.#elapsed = Math.max(this.#elapsed, to);
  }
}
