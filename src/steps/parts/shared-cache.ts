/** What one process has worked out, for all that share its store. */
import { type Clock, sleep } from '../../core/clock.ts';
import type { Log } from '../../core/exchange.ts';
import type { Life } from '../../core/life.ts';
import { joinRecord, splitRecord } from '../../core/record.ts';
import { toFailure } from '../../errors.ts';
import { Lease } from '../../store/lease.ts';
import { limits, type Store } from '../../store/store.ts';

const space = 'cache';

/** One who works that long is not waited for any longer. Milliseconds. */
const leaseMs = 10_000;
/** Between two looks at what another process may have finished by now, at first and at last. */
const firstPause = 20;
const longestPause = 500;

export interface Cached {
  readonly contentType: string | undefined;
  readonly bytes: Uint8Array;
}

/** With the milliseconds that it is still good for. */
export interface Found {
  readonly cached: Cached | undefined;
  readonly ttl: number;
}

export class SharedCache {
  readonly #open: () => Store;
  readonly #ttl: number;
  #failing = false;

  constructor(open: () => Store, ttl: number) {
    this.#open = open;
    this.#ttl = ttl;
  }

  /**
   * What is kept under the key, else what `compute` gives, which is kept. Of all processes one computes, unless it takes
   * long. A store that fails is no matter of the message's: it is done without.
   */
  async get(
    key: string,
    world: { readonly life: Life; readonly clock: Clock; readonly log: Log },
    compute: () => Promise<Cached | undefined>,
  ): Promise<Found> {
    const { life, clock, log } = world;
    let pause = firstPause;
    for (;;) {
      const found = await this.#attempt(log, () => this.#read(key));
      if (found === 'failed') return { cached: await compute(), ttl: this.#ttl };
      if (found) return found;
      const lease = await this.#attempt(log, () => Lease.acquire(this.#open(), clock, `${space} ${key}`, leaseMs));
      if (lease === 'failed') return { cached: await compute(), ttl: this.#ttl };
      if (lease) return this.#computed(key, lease, log, compute);
      await sleep(clock, pause, life.signal);
      pause = Math.min(longestPause, pause * 2);
    }
  }

  async #read(key: string): Promise<Found | undefined> {
    const entry = await this.#open().get(space, key);
    if (!entry) return undefined;
    const { head, body } = splitRecord(entry.value);
    const { contentType } = head as Pick<Cached, 'contentType'>;
    return { cached: { contentType, bytes: body }, ttl: entry.ttl ?? this.#ttl };
  }

  async #computed(key: string, lease: Lease, log: Log, compute: () => Promise<Cached | undefined>): Promise<Found> {
    try {
      // Between the look and the lease somebody else may have finished.
      const found = await this.#attempt(log, () => this.#read(key));
      if (found && found !== 'failed') return found;
      const cached = await compute();
      const value = cached && joinRecord({ contentType: cached.contentType }, cached.bytes);
      if (value && value.byteLength <= limits.value) {
        await this.#attempt(log, () => this.#open().write([{ op: 'put', space, key, value, ttl: this.#ttl }]));
      }
      return { cached, ttl: this.#ttl };
    } finally {
      await this.#attempt(log, () => lease.release());
    }
  }

  async #attempt<T>(log: Log, work: () => Promise<T>): Promise<T | 'failed'> {
    try {
      const result = await work();
      if (this.#failing) log.info('the shared cache can be used again');
      this.#failing = false;
      return result;
    } catch (thrown) {
      // Told once, not for every message.
      if (!this.#failing)
        log.warn('the shared cache cannot be used: it is done without', { code: toFailure(thrown).code });
      this.#failing = true;
      return 'failed';
    }
  }
}
