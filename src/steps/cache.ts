import { Body } from '../core/body.ts';
import { BoundedCache } from '../core/bounded-cache.ts';
import type { Exchange } from '../core/exchange.ts';
import type { Nature } from '../core/journal.ts';
import { keptBody } from '../core/record.ts';
import { SingleFlight } from '../core/single-flight.ts';
import { hashed, keyText } from './parts/key.ts';
import { capacity } from './parts/options.ts';
import { type Cached, type Found, SharedCache } from './parts/shared-cache.ts';
import { defineStep } from './step.ts';

export const cache = defineStep({
  name: 'cache',
  summary: 'Keeps for a while what its steps yield for a key: they run once, however many messages ask.',
  options: {
    type: 'object',
    properties: {
      key: {
        type: 'string',
        format: 'expression',
        description:
          'Everything that the result depends on, such as `[sku, $headers."accept-language"]`. For a key of nothing the steps run, and nothing is kept.',
        examples: ['sku'],
      },
      ttl: { type: 'string', format: 'duration', minimum: 1, description: 'How long a result is good for.' },
      steps: { kind: 'steps', description: 'What yields the result: their last body. An error is not kept.' },
      as: {
        type: 'string',
        format: 'name',
        description: 'Keeps the body and names the result: `$name`. Without it the result becomes the body.',
      },
      shared: {
        type: 'boolean',
        default: false,
        description:
          'Results are also kept in the store: for the other replicas of the integration where it is Redis or PostgreSQL, and over a restart.',
      },
      maxEntries: {
        ...capacity,
        default: 1000,
        description: 'Results in memory; the one that was not asked for for longest goes first.',
      },
      maxSize: {
        type: 'string',
        format: 'size',
        default: '16mb',
        description: 'All results in memory together; a larger one is not kept there.',
      },
    },
    required: ['key', 'ttl', 'steps'],
  },
  compile(options, context) {
    const { as, ttl, maxEntries, maxSize } = options;
    const key = context.expression(options.key);
    const inside = context.steps(options.steps, {
      scope: 'inner',
      noReply: 'what `cache` keeps is a value, for many messages',
    });
    if (as !== undefined) context.declare(as, 'as');
    else context.body.replace();
    const near = new BoundedCache<{ readonly cached: Cached; readonly until: number }>(maxEntries, maxSize);
    const flights = new SingleFlight<Cached | undefined>();
    const shared = options.shared ? new SharedCache(context.store(), ttl) : undefined;

    const compute = async (exchange: Exchange): Promise<Cached | undefined> => {
      const end = await inside.handler(exchange);
      if (!end) return undefined;
      // What cannot be read is an error now, and not for all who come later.
      if (as !== undefined) await end.value();
      const bytes = await end.bytes();
      return {
        contentType: end.body.wireType(end.services.codec),
        bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
      };
    };

    const seek = async (text: string, exchange: Exchange): Promise<Cached | undefined> => {
      const { life, services } = exchange;
      const { clock, log } = services;
      const found: Found = shared
        ? await shared.get(`${context.identity} ${hashed(text)}`, { life, clock, log }, () => compute(exchange))
        : { cached: await compute(exchange), ttl };
      const { cached } = found;
      if (cached) near.set(text, { cached, until: clock.monotonic() + found.ttl }, cached.bytes.byteLength);
      return cached;
    };

    const find = (text: string, exchange: Exchange): Cached | Promise<Cached | undefined> => {
      const kept = near.get(text);
      if (kept && kept.until > exchange.life.clock.monotonic()) return kept.cached;
      return flights.do(text, exchange.life, () => seek(text, exchange));
    };

    const yielded = async (exchange: Exchange): Promise<Exchange | undefined> => {
      const text = keyText(await key(exchange));
      const cached = await (text === undefined ? compute(exchange) : find(text, exchange));
      return cached && exchange.withBody(keptBody(cached.bytes, cached.contentType));
    };

    return async (exchange) => {
      const { journal } = exchange.life;
      const result = await (journal
        ? journal.effect(exchange.position + context.pointer, exchange, reading, () => yielded(exchange))
        : yielded(exchange));
      if (as !== undefined) return exchange.withVariable(as, await result?.value());
      return exchange.withBody(result?.body ?? Body.empty);
    };
  },
});

/** What a durable message saw it sees again after a crash, whatever the cache has by then. */
const reading: Nature = { safe: true, repeatable: true };
