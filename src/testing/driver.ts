import type { DrivenClock } from './clock.ts';

/** How far a test may go before it is said that it does not end. */
export interface Bounds {
  /** Virtual milliseconds. */
  readonly virtualMs: number;
  /** Timers that fire. */
  readonly timers: number;
  /** Milliseconds of this machine's time. */
  readonly realMs: number;
}

const usualBounds: Bounds = { virtualMs: 30 * 24 * 3_600_000, timers: 20_000, realMs: 10_000 };

/** What goes on outside of the test is waited for so long, in this machine's time. */
const patienceMs = 5_000;

/** How many turns of the event loop may pass with nothing to be seen that goes on. */
const idleTurns = 50;

/** A test that does not come to its end: why. */
export class Endless extends Error {
  override readonly name = 'Endless';
}

/** Lets virtual time pass: whenever nothing can go on by itself, it jumps to the next timer. */
export class Driver {
  readonly #clock: DrivenClock;
  readonly #bounds: Bounds;
  /** What was open before: no part of the test. */
  readonly #before = handles();
  readonly #startedAt = performance.now();
  #fired = 0;
  #patient = true;

  constructor(clock: DrivenClock, bounds: Bounds = usualBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
  }

  /** Until it is done. Throws {@link Endless}. */
  async until(done: () => boolean): Promise<void> {
    const end = this.#clock.monotonic() + this.#bounds.virtualMs;
    for (let idle = 0; ; ) {
      await this.#quiet();
      if (done()) return;
      const { next } = this.#clock;
      // What other threads do cannot be seen: it gets a little time.
      if (next === undefined && idle++ < idleTurns) continue;
      if (next === undefined) throw new Endless('nothing is left that could happen');
      idle = 0;
      if (next > end) throw new Endless(`it still goes on after ${this.#bounds.virtualMs / 86_400_000} virtual days`);
      this.#fire();
    }
  }

  /** As {@link until} it has settled; with what it settled with. */
  async settled<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    work.then(done, done);
    await this.until(() => settled);
    return work;
  }

  /** Lets so many milliseconds pass. */
  async pass(ms: number): Promise<void> {
    const end = this.#clock.monotonic() + ms;
    for (;;) {
      await this.#quiet();
      const { next } = this.#clock;
      if (next === undefined || next > end) break;
      this.#fire();
    }
    this.#clock.jump(end);
  }

  #fire(): void {
    if (++this.#fired > this.#bounds.timers) throw new Endless(`it set more than ${this.#bounds.timers} timers`);
    if (performance.now() - this.#startedAt > this.#bounds.realMs) {
      throw new Endless(`it still goes on after ${this.#bounds.realMs / 1000} s of this machine's time`);
    }
    this.#clock.fire();
  }

  /** Everything that needs no time has happened: also reading files, which modules of the integration may do. */
  async #quiet(): Promise<void> {
    let since: number | undefined;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!this.#patient || !this.#isBusy()) return;
      since ??= performance.now();
      // Once is enough: a connection that somebody keeps open would cost that time again and again.
      if (performance.now() - since > patienceMs) this.#patient = false;
    }
  }

  #isBusy(): boolean {
    const now = process.getActiveResourcesInfo();
    if (now.length === 0) return false;
    const counts = countsOf(now);
    for (const [name, count] of counts) if (count > (this.#before.get(name) ?? 0)) return true;
    return false;
  }
}

/** Not what is asked of the system just now, or due in the next turn: that ends by itself, and more of it may come. */
const handles = (): ReadonlyMap<string, number> =>
  countsOf(process.getActiveResourcesInfo().filter((name) => !name.includes('Req') && name !== 'Immediate'));

function countsOf(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
