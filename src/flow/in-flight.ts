import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/exchange.ts';
import type { Life } from '../core/life.ts';
import { failure } from '../errors.ts';

interface Message {
  readonly id: string;
  readonly flow: string;
  readonly since: number;
  readonly life: Life;
}

/** What is under way: messages, and work beside them. */
export class InFlight {
  readonly #clock: Clock;
  readonly #messages = new Set<Message>();
  readonly #background = new Set<Promise<unknown>>();
  #whenEmpty: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#messages.size;
  }

  add(message: Message): void {
    this.#messages.add(message);
  }

  delete(message: Message): void {
    this.#messages.delete(message);
    this.#tell();
  }

  addBackground(work: Promise<unknown>): void {
    this.#background.add(work);
    const done = (): void => {
      this.#background.delete(work);
      this.#tell();
    };
    work.then(done, done);
  }

  /** Resolves when nothing is left, or after `ms`, when the rest is given up; with the number of those. */
  async drain(ms: number, log: Log): Promise<number> {
    if (this.#isEmpty) return 0;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(ms, () => resolve());
      this.#whenEmpty = () => {
        cancel();
        resolve();
      };
    });
    if (this.#isEmpty) return 0;
    const left = [...this.#messages];
    for (const { id, flow, since, life } of left) {
      log.error('a message was given up', { flow, exchange: id, ms: Math.round(this.#clock.monotonic() - since) });
      life.abort(failure('aborted', { detail: 'the integration is stopping' }));
    }
    // Those that heard it end now; those that did not are left behind.
    await new Promise((resolve) => setImmediate(resolve));
    return left.length + this.#background.size;
  }

  get #isEmpty(): boolean {
    return this.#messages.size === 0 && this.#background.size === 0;
  }

  #tell(): void {
    if (this.#isEmpty) this.#whenEmpty?.();
  }
}
