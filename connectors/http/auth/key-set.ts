import { type Clock, type Failure, failure, type Log, TokenBucket, toFailure } from '#sdk';

/** After so long the keys are asked for again, beside the requests. */
const freshMs = 600_000;
/** How often an unknown key may make us ask: a few times at once, then now and then, however many such tokens come. */
const asking = { rate: { count: 1, per: 30_000 }, burst: 3 } as const;
/** Pauses after an attempt that failed. */
const firstPause = 1_000;
const longestPause = 30_000;

export interface KeySetWorld<T> {
  readonly clock: Clock;
  readonly log: Log;
  readonly flow: string;
  load(): Promise<T>;
}

/** The public keys of an issuer, in the form in which `load` gives them. Old ones serve while new ones cannot be had. */
export class KeySet<T> {
  readonly #world: KeySetWorld<T>;
  readonly #bucket: TokenBucket;
  #keys: T | undefined;
  #loadedAt = 0;
  #loading: Promise<boolean> | undefined;
  #failure: Failure | undefined;
  #pause = 0;
  #notBefore = 0;

  constructor(world: KeySetWorld<T>) {
    this.#world = world;
    this.#bucket = new TokenBucket(asking.rate, asking.burst, world.clock);
  }

  /** The keys that there are. Rejects with `auth-unavailable` while there have never been any. */
  async keys(): Promise<T> {
    if (this.#keys === undefined) await this.#refresh();
    if (this.#keys === undefined) throw this.#unavailable();
    const now = this.#world.clock.monotonic();
    if (now - this.#loadedAt > freshMs) void this.#refresh();
    return this.#keys;
  }

  /** The keys, asked for anew: those that there are do not fit. `undefined`: they were asked for a moment ago. */
  async newer(): Promise<T | undefined> {
    if ('refused' in this.#bucket.take(0)) {
      if (this.#failure) throw this.#unavailable();
      return undefined;
    }
    const before = this.#keys;
    await this.#refresh();
    // A key that only the server knows would have let its caller in.
    if (this.#failure) throw this.#unavailable();
    return this.#keys === before ? undefined : this.#keys;
  }

  #unavailable(): Failure {
    const { clock } = this.#world;
    const retryAfter = Math.max(1_000, this.#notBefore - clock.monotonic());
    return failure('auth-unavailable', { detail: this.#failure?.message ?? 'the keys are not there', retryAfter });
  }

  /** One at a time. Whether there are new ones. */
  #refresh(): Promise<boolean> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #load(): Promise<boolean> {
    const { clock, log, flow } = this.#world;
    if (clock.monotonic() < this.#notBefore) return false;
    try {
      this.#keys = await this.#world.load();
      this.#loadedAt = clock.monotonic();
      if (this.#failure) log.info('the keys of the issuer are there again', { flow });
      this.#failure = undefined;
      this.#pause = 0;
      return true;
    } catch (thrown) {
      const error = toFailure(thrown);
      if (!this.#failure) {
        log.warn('the keys of the issuer cannot be had', {
          flow,
          detail: error.message,
          old: this.#keys !== undefined,
        });
      }
      this.#failure = error;
      this.#pause = Math.min(longestPause, Math.max(firstPause, this.#pause * 2));
      this.#notBefore = clock.monotonic() + this.#pause;
      return false;
    }
  }
}
