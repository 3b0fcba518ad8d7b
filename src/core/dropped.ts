import type { Clock } from './clock.ts';
import type { Log } from './exchange.ts';

/** How long drops are collected before they are said. */
const everyMs = 10_000;

/** Counts messages that were dropped, and says how many: once when it begins, then every so often. */
export class Dropped {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #flow: string;
  #count = 0;
  #total = 0;
  #cancel: (() => void) | undefined;

  constructor(log: Log, clock: Clock, flow: string) {
    this.#log = log;
    this.#clock = clock;
    this.#flow = flow;
  }

  add(): void {
    this.#count++;
    this.#total++;
    if (this.#cancel) return;
    this.#say();
    this.#wait();
  }

  end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#say();
  }

  #wait(): void {
    this.#cancel = this.#clock.after(
      everyMs,
      () => {
        this.#cancel = undefined;
        if (this.#count === 0) return;
        this.#say();
        this.#wait();
      },
      true,
    );
  }

  #say(): void {
    if (this.#count === 0) return;
    this.#log.warn('messages were dropped: more came than may wait', {
      flow: this.#flow,
      dropped: this.#count,
      total: this.#total,
    });
    this.#count = 0;
  }
}
