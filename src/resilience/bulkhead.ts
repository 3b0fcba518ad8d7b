/**
 * Bulkhead (Nygard): at most so many calls of an endpoint run at once; a few more wait in line, the others are told at
 * once. A permit is held until the call has really ended.
 */
import type { Life } from '../core/life.ts';
import { type Failure, failure } from '../errors.ts';
import type { Infer } from '../schema/infer.ts';
import type { Schema } from '../schema/schema.ts';

export const bulkheadOptions = {
  type: 'object',
  required: ['max'],
  description: 'Bounds the calls that run at once; what does not fit fails at once (`bulkhead-full`).',
  properties: {
    max: { type: 'integer', minimum: 1, maximum: 100_000, description: 'Calls that run at once.' },
    queue: { type: 'integer', minimum: 0, maximum: 100_000, default: 0, description: 'Calls that may wait in line.' },
    maxWait: {
      type: 'string',
      format: 'duration',
      minimum: 1,
      default: '1s',
      description: 'How long a call may wait in line.',
    },
  },
} as const satisfies Schema;

export type BulkheadOptions = Infer<typeof bulkheadOptions>;

interface Waiting {
  readonly enter: () => void;
  readonly refuse: (reason: Failure) => void;
}

export class Bulkhead {
  readonly #options: BulkheadOptions;
  readonly #endpoint: string;
  readonly #line = new Set<Waiting>();
  #running = 0;

  constructor(options: BulkheadOptions, endpoint: string) {
    this.#options = options;
    this.#endpoint = endpoint;
  }

  get running(): number {
    return this.#running;
  }

  get max(): number {
    return this.#options.max;
  }

  get waiting(): number {
    return this.#line.size;
  }

  /**
   * Resolves with what gives the permit back (call it once the work has really ended; twice does no harm), at once or
   * when it is this call's turn. Rejects with `bulkhead-full`, or the reason why the message was given up.
   */
  enter(life: Life): Promise<() => void> {
    const { max, queue, maxWait } = this.#options;
    if (this.#running < max) {
      this.#running++;
      return Promise.resolve(this.#permit());
    }
    if (this.#line.size >= queue) return Promise.reject(this.#full());
    return new Promise((resolve, reject) => {
      // Called at once when the message was given up already.
      let leaveLife = (): void => {};
      const leaveLine = (): void => {
        this.#line.delete(waiting);
        cancel();
        leaveLife();
      };
      const waiting: Waiting = {
        enter: () => {
          leaveLine();
          resolve(this.#permit());
        },
        refuse: (reason) => {
          leaveLine();
          reject(reason);
        },
      };
      this.#line.add(waiting);
      const cancel = life.clock.after(maxWait, () => waiting.refuse(this.#full()), true);
      leaveLife = life.onAbort((reason) => waiting.refuse(reason));
    });
  }

  #permit(): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const [next] = this.#line;
      // The permit passes on: nobody who comes now can take it from those in line.
      if (next) next.enter();
      else this.#running--;
    };
  }

  #full(): Failure {
    const { max, queue, maxWait } = this.#options;
    return failure('bulkhead-full', { endpoint: this.#endpoint, max, queue, retryAfter: maxWait });
  }
}
