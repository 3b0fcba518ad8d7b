import { failure, type Failure } from '../errors.ts';
import type { Clock } from './clock.ts';

/**
 * How long a message may go on: one absolute deadline and one way to be cancelled. Listening costs next to nothing;
 * an AbortSignal is made only for those who need one. Branches have a life of their own that ends with their parent's.
 */
export class Life {
  readonly clock: Clock;
  /** Monotonic milliseconds; `undefined` = none. */
  readonly deadline: number | undefined;
  readonly #listeners = new Set<(reason: Failure) => void>();
  #reason: Failure | undefined;
  #controller: AbortController | undefined;
  #cancelTimer: (() => void) | undefined;
  #leaveParent: (() => void) | undefined;

  constructor(clock: Clock, options: { deadline?: number | undefined; flow?: string; parent?: Life } = {}) {
    this.clock = clock;
    const inherited = options.parent?.deadline;
    const own = options.deadline;
    this.deadline = own !== undefined && (inherited === undefined || own < inherited) ? own : inherited;
    if (own !== undefined && own === this.deadline) {
      this.#cancelTimer = clock.after(
        Math.max(0, own - clock.monotonic()),
        () => this.abort(failure('deadline', { flow: options.flow })),
        true,
      );
    }
    this.#leaveParent = options.parent?.onAbort((reason) => this.abort(reason));
  }

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  /** Milliseconds left; `undefined` = no deadline. */
  get left(): number | undefined {
    return this.deadline === undefined ? undefined : Math.max(0, this.deadline - this.clock.monotonic());
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Throws the reason once the message was given up. */
  check(): void {
    if (this.#reason) throw this.#reason;
  }

  /** Calls `listener` when the message is given up (at once if it was); the returned function stops listening. */
  onAbort(listener: (reason: Failure) => void): () => void {
    if (this.#reason) {
      listener(this.#reason);
      return () => {};
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  abort(reason: Failure): void {
    if (this.#reason) return;
    this.#reason = reason;
    const listeners = [...this.#listeners];
    this.end();
    this.#controller?.abort(reason);
    for (const listener of listeners) listener(reason);
  }

  /** The work is over: nothing of it stays behind. */
  end(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#leaveParent?.();
    this.#leaveParent = undefined;
    this.#listeners.clear();
  }

  /** `work`, or the reason of being given up, whichever comes first: for work that cannot be cancelled itself. */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const leave = this.onAbort(reject);
      work.then(
        (value) => {
          leave();
          resolve(value);
        },
        (error: unknown) => {
          leave();
          reject(error);
        },
      );
    });
  }
}
