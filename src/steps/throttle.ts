import { sleep } from '../core/clock.ts';
import type { Exchange } from '../core/exchange.ts';
import type { Nature } from '../core/journal.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import { failure } from '../errors.ts';
import { defineStep } from './step.ts';

/** Keys whose pace is remembered; the one that was not seen for longest is forgotten. */
const maxKeys = 10_000;

/** A durable message that was let through is not sent away when it goes on after a crash. */
const passing: Nature = { safe: true, repeatable: true };

export const throttle = defineStep({
  name: 'throttle',
  summary: 'Lets messages through no faster than a rate, all together or for each key.',
  options: {
    type: 'object',
    properties: {
      rate: { type: 'string', format: 'rate', description: 'Messages per time.', examples: ['10/s', '600/m'] },
      burst: {
        type: 'integer',
        minimum: 1,
        maximum: 1_000_000,
        description: 'Messages that may come at once after a pause; those of one `rate` unit when absent.',
      },
      key: {
        type: 'string',
        format: 'expression',
        description: 'Each value has the rate for itself (a customer, a tenant). A key of nothing is a key, too.',
        examples: ['$headers."x-tenant"'],
      },
      onLimit: {
        type: 'string',
        enum: ['wait', 'reject'],
        default: 'wait',
        description: '`wait`: until it is its turn, within its deadline. `reject`: the error `rate-limited` (429).',
      },
    },
    required: ['rate'],
  },
  compile(options, context) {
    const key = options.key ? context.expression(options.key) : undefined;
    const { rate, burst, onLimit } = options;
    const buckets = new Map<string, TokenBucket>();
    const pass = async (exchange: Exchange): Promise<undefined> => {
      const { clock } = exchange.services;
      const name = key ? JSON.stringify(await key(exchange)) : '';
      const bucket = buckets.get(name) ?? new TokenBucket(rate, burst, clock);
      // Moves to the end: the first is the one that was not used for longest.
      buckets.delete(name);
      buckets.set(name, bucket);
      const [oldest] = buckets.keys();
      if (buckets.size > maxKeys && oldest !== undefined) buckets.delete(oldest);

      const taken = bucket.take(onLimit === 'reject' ? 0 : (exchange.life.left ?? Number.POSITIVE_INFINITY));
      if ('refused' in taken) {
        const facts = { rate: `${rate.count} messages in ${rate.per} ms`, retryAfter: Math.ceil(taken.refused) };
        throw failure('rate-limited', facts);
      }
      if (taken.wait === 0) return;
      try {
        await sleep(clock, taken.wait, exchange.life.signal);
      } catch (reason) {
        bucket.giveBack();
        throw reason;
      }
    };
    return async (exchange) => {
      const { journal } = exchange.life;
      if (journal) await journal.effect(exchange.position + context.pointer, exchange, passing, () => pass(exchange));
      else await pass(exchange);
      return exchange;
    };
  },
});
