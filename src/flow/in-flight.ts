import { Bag, type Member } from '../core/bag.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/exchange.ts';
import type { Life } from '../core/life.ts';
import type { Trace } from '../core/trace.ts';
import { type Failure, failure } from '../errors.ts';

/** A message on its way. */
export interface Message extends Member {
  readonly id: string;
  readonly flow: string;
  readonly since: number;
  readonly life: Life;
  readonly trace: Trace;
  /** The time to finish was over. */
  givenUp?: boolean;
}

/** Work beside the messages. */
interface Background extends Member {
  /** For whoever wonders what a shutdown waits for. */
  readonly what: string;
}

/** How long messages that were given up may still undo what they did. */
const undoMs = 3_000;

/** What is under way: messages, and work beside them. */
export class InFlight {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #messages = new Bag<Message>();
  readonly #background = new Bag<Background>();
  readonly #whenEmpty = new Set<() => void>();
  #lost = 0;
  /** Set when the time to finish is over. */
  #ending: Promise<number> | undefined;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  get size(): number {
    return this.#messages.size;
  }

  /** How many are in this flow. */
  of(flow: string): number {
    let count = 0;
    for (const message of this.#messages) if (message.flow === flow) count++;
    return count;
  }

  add(message: Message): void {
    this.#messages.add(message);
    // Of a source that had taken it before: there is no time for it any more.
    if (this.#ending) this.#giveUp(message);
  }

  /** `error`: how it ended, if not well. */
  delete(message: Message, error?: Failure): void {
    this.#messages.delete(message);
    if (message.givenUp) this.#name(message, error);
    this.#tell();
  }

  /** `what` names it for whoever wonders what a shutdown waits for. */
  addBackground(work: Promise<unknown>, what = 'something'): void {
    const one: Background = { place: -1, what };
    this.#background.add(one);
    const done = (): void => {
      this.#background.delete(one);
      this.#tell();
    };
    work.then(done, done);
  }

  /** Resolves when nothing is left, or after `ms`, when the rest is given up; with the number of those. */
  async drain(ms: number): Promise<number> {
    if (await this.#empty(ms)) return this.#lost;
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<number> {
    for (const message of this.#messages) this.#giveUp(message);
    await this.#empty(undoMs);
    for (const message of this.#messages) if (message.givenUp) this.#name(message, undefined);
    for (const { what } of this.#background) {
      this.#log.error('work beside the messages was given up', { what });
      this.#lost++;
    }
    return this.#lost;
  }

  #giveUp(message: Message): void {
    const { id, flow, life, trace } = message;
    if (life.journal) {
      this.#log.info('a message goes on at the next start', { flow, exchange: id, traceId: trace.id });
      life.abort(failure('suspended'));
      return;
    }
    message.givenUp = true;
    this.#lost++;
    life.abort(failure('aborted', { detail: 'the integration is stopping' }));
  }

  #name({ id, flow, since, life, trace }: Message, error: Failure | undefined): void {
    const ms = Math.round(this.#clock.monotonic() - since);
    const { place, outcome } = error ?? { place: undefined, outcome: life.outcome };
    this.#log.error('a message was given up', { flow, exchange: id, traceId: trace.id, ms, place, outcome });
  }

  /** Waits until nothing is left, at most `ms`: whether it is so. */
  async #empty(ms: number): Promise<boolean> {
    if (this.isEmpty) return true;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel();
        this.#whenEmpty.delete(done);
        resolve();
      };
      const cancel = this.#clock.after(ms, done);
      this.#whenEmpty.add(done);
    });
    return this.isEmpty;
  }

  /** Whether nothing is under way. */
  get isEmpty(): boolean {
    return this.#messages.size === 0 && this.#background.size === 0;
  }

  #tell(): void {
    if (!this.isEmpty) return;
    for (const done of this.#whenEmpty) done();
  }
}
