import { createHash } from 'node:crypto';
import { type Clock, type Failure, failure, type Rate, TokenBucket } from '#sdk';

/** What is longer is counted by its digest. */
const longestKey = 200;

/** One bucket for each caller, for a bounded number of callers. */
export class RequestLimit {
  readonly #rate: Rate;
  readonly #burst: number | undefined;
  readonly #most: number;
  readonly #clock: Clock;
  /** The first is the one that was silent for longest. */
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #policy: string;

  constructor(
    { rate, burst, maxKeys }: { readonly rate: Rate; readonly burst?: number | undefined; readonly maxKeys: number },
    clock: Clock,
  ) {
    this.#rate = rate;
    this.#burst = burst;
    this.#most = maxKeys;
    this.#clock = clock;
    this.#policy = `"default";q=${rate.count};w=${Math.max(1, Math.ceil(rate.per / 1000))}`;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one request of this caller; the fields of the answer that tell what is left. Throws `rate-limited`. */
  take(caller: string): readonly string[] {
    const bucket = this.#bucket(caller);
    const taken = bucket.take(0);
    if ('refused' in taken) throw this.#refusal(taken.refused);
    return this.#fields(bucket.left, this.#rate.per / this.#rate.count);
  }

  /** Throws where this caller has nothing left; takes nothing. */
  check(caller: string): void {
    const bucket = this.#buckets.get(caller);
    if (bucket?.left === 0) throw this.#refusal(this.#rate.per / this.#rate.count);
  }

  /** As {@link take}, for one that is refused anyway. */
  count(caller: string): void {
    this.#bucket(caller).take(0);
  }

  #refusal(ms: number): Failure {
    const { count, per } = this.#rate;
    const fields = this.#fields(0, ms);
    return failure('rate-limited', { rate: `${count} requests in ${per} ms`, retryAfter: Math.ceil(ms), fields });
  }

  /** `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers). */
  #fields(left: number, ms: number): readonly string[] {
    const seconds = Math.max(1, Math.ceil(ms / 1000));
    return ['ratelimit-policy', this.#policy, 'ratelimit', `"default";r=${left};t=${seconds}`];
  }

  #bucket(caller: string): TokenBucket {
    const key = caller.length > longestKey ? createHash('sha256').update(caller).digest('base64') : caller;
    const known = this.#buckets.get(key);
    const bucket = known ?? new TokenBucket(this.#rate, this.#burst, this.#clock);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (known === undefined && this.#buckets.size > this.#most) {
      const oldest = this.#buckets.keys().next().value;
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket;
  }
}
