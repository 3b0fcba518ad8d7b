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

/** How long messages that were given up may still undo what they did. */
const undoMs = 3_000;

/** What is under way: messages, and work beside them. */
export class InFlight {
  readonly #clock: Clock;
  readonly #messages = new Set<Message>();
  readonly #background = new Set<Promise<unknown>>();
  readonly #whenEmpty = new Set<() => void>();

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
    if (await this.#empty(ms)) return 0;
    const left = [...this.#messages];
    const durable = left.filter(({ life }) => life.journal);
    for (const { id, flow, since, life } of left) {
      const facts = { flow, exchange: id, ms: Math.round(this.#clock.monotonic() - since) };
      if (life.journal) log.info('a message goes on at the next start', facts);
      else log.error('a message was given up', facts);
      life.abort(life.journal ? failure('suspended') : failure('aborted', { detail: 'the integration is stopping' }));
    }
    // What goes on with durable messages are the messages themselves.
    const waiting = Math.max(0, this.#background.size - durable.length);
    await this.#empty(undoMs);
    return left.length - durable.length + waiting;
  }

  /** Waits until nothing is left, at most `ms`: whether it is so. */
  async #empty(ms: number): Promise<boolean> {
    if (this.#isEmpty) return true;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel();
        this.#whenEmpty.delete(done);
        resolve();
      };
      const cancel = this.#clock.after(ms, done);
      this.#whenEmpty.add(done);
    });
    return this.#isEmpty;
  }

  get #isEmpty(): boolean {
    return this.#messages.size === 0 && this.#background.size === 0;
  }

  #tell(): void {
    if (!this.#isEmpty) return;
    for (const done of this.#whenEmpty) done();
  }
}
