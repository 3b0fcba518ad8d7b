/** Rate limit of calls: a token bucket. Calls over the rate wait a little for their token, or are refused. */
import type { Clock } from '../core/clock.ts';
import { sleep } from '../core/clock.ts';
import type { Life } from '../core/life.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import { failure } from '../errors.ts';
import type { Infer } from '../schema/infer.ts';
import type { Schema } from '../schema/schema.ts';

export const rateLimitOptions = {
  type: 'object',
  required: ['rate'],
  description: 'Calls no faster than the far side allows; what does not fit fails at once (`rate-limited`).',
  properties: {
    rate: { type: 'string', format: 'rate', description: 'Calls per time.', examples: ['10/s', '600/m'] },
    burst: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      description: 'Calls that may come at once after a pause; those of one `rate` unit when absent.',
    },
    maxWait: {
      type: 'string',
      format: 'duration',
      default: '0s',
      description: 'How long a call may wait for its turn; `0s`: not at all.',
    },
  },
} as const satisfies Schema;

export type RateLimitOptions = Infer<typeof rateLimitOptions>;

export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #endpoint: string;
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;

  constructor(options: RateLimitOptions, endpoint: string, clock: Clock) {
    this.#options = options;
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#bucket = new TokenBucket(options.rate, options.burst, clock);
  }

  /** Resolves when the call may start; rejects with `rate-limited`, or the reason why the message was given up. */
  async enter(life: Life): Promise<void> {
    const taken = this.#bucket.take(this.#options.maxWait);
    if ('refused' in taken) {
      const { count, per } = this.#options.rate;
      const rate = `${count} calls in ${per} ms`;
      throw failure('rate-limited', { endpoint: this.#endpoint, rate, retryAfter: Math.ceil(taken.refused) });
    }
    if (taken.wait === 0) return;
    try {
      await sleep(this.#clock, taken.wait, life.signal);
    } catch (reason) {
      this.#bucket.giveBack();
      throw reason;
    }
  }
}
