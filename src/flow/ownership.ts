import type { Services } from '../core/exchange.ts';
import { detailOf } from '../errors.ts';
import type { Store, Write } from '../store/store.ts';

const space = 'owners';

/** How long a process that is silent still owns its messages, and how often it says that it is there. Milliseconds. */
const leaseMs = 15_000;
const renewMs = 5_000;

/**
 * Which durable messages are ours. A store of our own: all. A shared one: those under the names that we hold a lease on:
 * our own, and those of processes that fell silent. Every write checks the lease, so that whoever lost it is fenced off.
 */
export class Ownership {
  #me: string;
  readonly #store: Store;
  readonly #services: Pick<Services, 'clock' | 'random' | 'log'>;
  /** Names with the versions of their leases. */
  readonly #leases = new Map<string, number>();
  /** Names that another process has taken over: their old leases fence us off. */
  readonly #lost = new Set<string>();
  #cancelRenewal: () => void = () => {};
  #closed = false;

  constructor(store: Store, services: Pick<Services, 'clock' | 'random' | 'log'>) {
    this.#store = store;
    this.#services = services;
    this.#me = store.shared ? services.random.uuid() : 'local';
  }

  /** The name under which this process begins messages: another one after it was silent for too long. */
  get me(): string {
    return this.#me;
  }

  async open(): Promise<void> {
    if (!this.#store.shared) return;
    await this.#take(this.#me);
    this.#renewLater();
  }

  /** Gives the leases up: what is left belongs to whoever comes next. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRenewal();
    for (const [key, when] of this.#leases) {
      await this.#store.write([{ op: 'delete', space, key, when }]).catch(() => {});
    }
  }

  /** Whether the messages under this name are ours; those of a process that fell silent become so. */
  async has(name: string): Promise<boolean> {
    if (this.holds(name)) return true;
    if (!(await this.#take(name))) return false;
    this.#services.log.warn('took over the messages of a process that fell silent', { owner: name });
    return true;
  }

  /** Whether the messages under this name are ours, as far as is known here. */
  holds(name: string): boolean {
    return !this.#store.shared || (this.#leases.has(name) && !this.#lost.has(name));
  }

  /** What a write under this name must check. */
  fence(name: string): readonly Write[] {
    const when = this.#leases.get(name);
    return when === undefined ? [] : [{ op: 'check', space, key: name, when }];
  }

  async #take(name: string): Promise<boolean> {
    const value = new Uint8Array(0);
    const written = await this.#store.write([{ op: 'put', space, key: name, value, ttl: leaseMs, when: 'absent' }]);
    if (!written.written) return false;
    this.#leases.set(name, written.version);
    this.#lost.delete(name);
    return true;
  }

  async #lose(name: string): Promise<void> {
    this.#lost.add(name);
    this.#services.log.error('another process took over our durable messages', { owner: name });
    if (name !== this.#me) return;
    const me = this.#services.random.uuid();
    if (await this.#take(me)) this.#me = me;
  }

  #renewLater(): void {
    this.#cancelRenewal = this.#services.clock.after(renewMs, () => void this.#renew(), true);
  }

  async #renew(): Promise<void> {
    for (const [key, when] of this.#leases) {
      if (this.#lost.has(key)) continue;
      try {
        const written = await this.#store.write([{ op: 'check', space, key, when, ttl: leaseMs }]);
        if (!written.written) await this.#lose(key);
      } catch (thrown) {
        const detail = detailOf(thrown);
        this.#services.log.warn('the lease on durable messages could not be renewed', { owner: key, detail });
      }
    }
    if (!this.#closed) this.#renewLater();
  }
}
