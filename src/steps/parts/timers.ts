import type { Clock } from '../../core/clock.ts';

interface Entry {
  /** Milliseconds since the epoch; `undefined`: it waits for something else. */
  at: number | undefined;
  /** When its timer ends, and how it is ended before. */
  armed: number | undefined;
  cancel: () => void;
}

/** What waits for its time, by key. A time that is put off costs nothing: the timer that runs looks again. */
export class Timers {
  readonly #entries = new Map<string, Entry>();
  #clock: Clock | undefined;
  #onTime: (key: string) => void = () => {};

  open(clock: Clock, onTime: (key: string) => void): void {
    this.#clock = clock;
    this.#onTime = onTime;
    for (const [key, entry] of this.#entries) this.#arm(key, entry);
  }

  stop(): void {
    for (const entry of this.#entries.values()) entry.cancel();
    this.#entries.clear();
    this.#clock = undefined;
  }

  get count(): number {
    return this.#entries.size;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  set(key: string, at: number | undefined): void {
    const entry = this.#entries.get(key) ?? { at, armed: undefined, cancel: () => {} };
    entry.at = at;
    this.#entries.set(key, entry);
    this.#arm(key, entry);
  }

  delete(key: string): void {
    this.#entries.get(key)?.cancel();
    this.#entries.delete(key);
  }

  #arm(key: string, entry: Entry): void {
    const { at } = entry;
    if (!this.#clock || at === undefined || (entry.armed !== undefined && entry.armed <= at)) return;
    entry.cancel();
    entry.armed = at;
    entry.cancel = this.#clock.after(Math.max(0, at - this.#clock.now()), () => this.#ended(key, entry), true);
  }

  #ended(key: string, entry: Entry): void {
    entry.armed = undefined;
    entry.cancel = () => {};
    if (!this.#clock || this.#entries.get(key) !== entry) return;
    if (entry.at !== undefined && entry.at > this.#clock.now()) this.#arm(key, entry);
    else this.#onTime(key);
  }
}
