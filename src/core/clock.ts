import { Bag, type Member } from './bag.ts';

/**
 * Time, passed in. Nothing else in the product reads a clock or sets a timer, so that tests can run an hour of retries
 * in a millisecond.
 */
export interface Clock {
  /** Wall-clock time, milliseconds since the epoch: for people and timestamps. */
  now(): number;
  /** Monotonic milliseconds: for durations and deadlines. */
  monotonic(): number;
  /**
   * Calls `run` once after `ms`; the returned function cancels. Never keeps the process alive when `background`. `now`: the
   * monotonic time, for who has just asked.
   */
  after(ms: number, run: () => void, background?: boolean, now?: number): () => void;
}

// A longer wait would overflow the timer's 32 bits and fire at once.
const longest = 2 ** 31 - 1;

/** Waits in the background that are at least so long may end a little late, together with others. */
const coarseFrom = 1000;
/** So much later they end at most, or by a part of their length: else waits of a day would need a million timers. */
const coarseTick = 50;
const coarsePart = 1 / 64;

/** A power of two, so that waits of nearly the same length end in the same ticks; asked for with every message and call. */
const tickOf = (ms: number): number => Math.max(coarseTick, 1 << (31 - Math.clz32(ms * coarsePart)));

interface Wait extends Member {
  readonly run: () => void;
}

class SystemClock implements Clock {
  /** By the time at which they end. Deadlines come with every message and hardly ever pass: a few timers do for all. */
  readonly #ticks = new Map<number, Bag<Wait>>();

  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  after(ms: number, run: () => void, background = false, now?: number): () => void {
    if (ms > longest) {
      let cancel = this.after(
        longest,
        () => {
          cancel = this.after(ms - longest, run, background);
        },
        background,
      );
      return () => cancel();
    }
    if (background && ms >= coarseFrom) return this.#afterAbout(ms, run, now ?? performance.now());
    const timer = setTimeout(run, ms);
    if (background) timer.unref();
    return () => clearTimeout(timer);
  }

  #afterAbout(ms: number, run: () => void, now: number): () => void {
    const tick = tickOf(ms);
    const at = Math.ceil((now + ms) / tick) * tick;
    const waiting = this.#ticks.get(at) ?? this.#openTick(at, at - now);
    const wait = { place: -1, run };
    waiting.add(wait);
    return () => waiting.delete(wait);
  }

  #openTick(at: number, ms: number): Bag<Wait> {
    const waiting = new Bag<Wait>();
    this.#ticks.set(at, waiting);
    const end = (): void => {
      this.#ticks.delete(at);
      // One that runs may cancel another.
      for (const wait of waiting) if (wait.place >= 0) wait.run();
    };
    setTimeout(end, ms).unref();
    return waiting;
  }
}

export const systemClock: Clock = new SystemClock();

/** Waits `ms`; rejects with the signal's reason as soon as it is aborted. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Waits for `work`, but no longer than `ms`: of what hangs nobody hears. */
export async function atMost(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const cancel = clock.after(ms, late.resolve);
  try {
    await Promise.race([work, late.promise]);
  } finally {
    cancel();
  }
}

/** A clock that stands still until it is told to go on: for tests. */
export class VirtualClock implements Clock {
  #elapsed = 0;
  readonly #start: number;
  #timers: { readonly at: number; readonly run: () => void }[] = [];

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#start = start;
  }

  now(): number {
    return this.#start + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#elapsed + Math.max(0, ms), run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  /** How long until the next timer fires; undefined when none waits. */
  get next(): number | undefined {
    if (this.#timers.length === 0) return undefined;
    return Math.min(...this.#timers.map((timer) => timer.at)) - this.#elapsed;
  }

  /** Lets `ms` pass, firing timers in order; everything that one sets in motion settles before the next fires. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    for (;;) {
      await settle();
      const due = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#elapsed = Math.max(this.#elapsed, due.at);
      due.run();
    }
    this.#elapsed = end;
    await settle();
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
