import type { Clock } from '../core/clock.ts';
import type { Check, Store } from './store.ts';

/** The space of all leases; their values are empty. */
const space = 'lease';

/**
 * Something that one holder at a time has, for a while: in all processes that share the store. Whoever holds it must
 * reckon with losing it unawares (a long pause of the process); so what only the holder may write goes into one batch with
 * {@link held}.
 */
export class Lease {
  readonly name: string;
  /** Greater for every later holder: what receives it can turn away a holder of the past ("fencing token", Kleppmann). */
  readonly token: number;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #ms: number;
  /** Monotonic milliseconds. */
  #until: number;

  private constructor(name: string, token: number, until: number, store: Store, clock: Clock, ms: number) {
    this.name = name;
    this.token = token;
    this.#until = until;
    this.#store = store;
    this.#clock = clock;
    this.#ms = ms;
  }

  /** Takes the lease for `ms`; `undefined` when somebody else has it. Rejects as {@link Store.write} does. */
  static async acquire(store: Store, clock: Clock, name: string, ms: number): Promise<Lease | undefined> {
    // Counted from before the store counts: it ends here first.
    const until = clock.monotonic() + ms;
    const value = new Uint8Array();
    const written = await store.write([{ op: 'put', space, key: name, value, when: 'absent', ttl: ms }]);
    return written.written ? new Lease(name, written.version, until, store, clock, ms) : undefined;
  }

  /** Milliseconds that it is surely still held; 0 = it may be somebody else's by now. */
  get left(): number {
    return Math.max(0, this.#until - this.#clock.monotonic());
  }

  /** For a batch: nothing of it is written unless this lease is still held. */
  get held(): Check {
    return { op: 'check', space, key: this.name, when: this.token };
  }

  /** Holds it for its time from now on. `false`: it was lost, and stays lost. */
  async renew(): Promise<boolean> {
    if (this.#until === 0) return false;
    const until = this.#clock.monotonic() + this.#ms;
    const { written } = await this.#store.write([{ ...this.held, ttl: this.#ms }]);
    this.#until = written ? until : 0;
    return written;
  }

  /** Gives it back; one that was lost is no matter. */
  async release(): Promise<void> {
    this.#until = 0;
    await this.#store.write([{ op: 'delete', space, key: this.name, when: this.token }]);
  }
}
