import { createRequire } from 'node:module';
import type { Clock } from '../core/clock.ts';
import type { Exchange, Handler, Log } from '../core/exchange.ts';
import { lazily } from '../core/lazily.ts';
import type { Counter, Meter } from '../core/meter.ts';
import { type Failure, failure, toFailure } from '../errors.ts';
import type { Infer } from '../schema/infer.ts';
import type { Schema } from '../schema/schema.ts';
import { Bulkhead, bulkheadOptions } from './bulkhead.ts';
import { cacheOptions } from './cache-options.ts';
import { CircuitBreaker, type CircuitState, circuitBreakerOptions, circuitStates } from './circuit-breaker.ts';
import { RateLimit, rateLimitOptions } from './rate-limit.ts';
import { retry, retryOptions } from './retry.ts';
import { withLimit } from './timeout.ts';

const require = createRequire(import.meta.url);
// The largest of them, and few endpoints have one.
const caching = lazily(() => require('./cache.ts') as typeof import('./cache.ts'));

/** What surrounds the calls of an endpoint. */
export type Policy = (next: Handler) => Handler;

/** One attempt may take this long where the endpoint says nothing else. */
export const defaultTimeout = 30_000;

/** The options of an endpoint that stand beside its kind, in the order in which they surround a call, outside in. */
export const policyOptions = {
  cache: cacheOptions,
  deadline: {
    type: 'string',
    format: 'duration',
    minimum: 1,
    description: 'How long all attempts of one call may take together, waiting included.',
    examples: ['5s'],
  },
  retry: retryOptions,
  circuitBreaker: circuitBreakerOptions,
  bulkhead: bulkheadOptions,
  rateLimit: rateLimitOptions,
  timeout: {
    type: 'string',
    format: 'duration',
    minimum: 1,
    description: 'How long one attempt may take; 30s when absent. Then it is cancelled: the error `timeout`.',
    examples: ['800ms', '5s'],
  },
} as const satisfies Readonly<Record<string, Schema>>;

export type PolicyOptions = Infer<{ readonly type: 'object'; readonly properties: typeof policyOptions }>;

export interface PolicyWorld {
  /** Name of the endpoint. */
  readonly endpoint: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  /** Whether this call changes nothing at the far side. */
  readonly safe: (exchange: Exchange) => boolean;
  /** Whether doing this call twice is as good as once. */
  readonly repeatable: (exchange: Exchange) => boolean;
}

/** The policies of one endpoint, and what a person may look at, and set by hand. */
export interface Guard {
  readonly around: Policy;
  readonly breaker: CircuitBreaker | undefined;
  readonly bulkhead: Bulkhead | undefined;
}

/** In their one order: cache ▸ deadline ▸ retry ▸ circuitBreaker ▸ bulkhead ▸ rateLimit ▸ timeout. */
export function policies(options: PolicyOptions, world: PolicyWorld): Guard {
  const { deadline, timeout = defaultTimeout } = options;
  const late = (ms: number) => (): Failure => failure('timeout', { endpoint: world.endpoint, ms });
  const breaker = options.circuitBreaker && circuitBreaker(options.circuitBreaker, world);
  const permits = options.bulkhead && bulkhead(options.bulkhead, world);
  const outsideIn: readonly (Policy | undefined)[] = [
    options.cache && caching().cache(options.cache, world),
    deadline === undefined ? undefined : withLimit(deadline, late(deadline)),
    options.retry && retry(options.retry, world),
    breaker && breaking(breaker),
    permits && bounded(permits),
    options.rateLimit && paced(new RateLimit(options.rateLimit, world.endpoint, world.clock)),
    withLimit(timeout, late(timeout)),
  ];
  const around: Policy = (next) =>
    outsideIn.reduceRight<Handler>((inner, policy) => (policy ? policy(inner) : inner), next);
  return { around, breaker, bulkhead: permits };
}

function circuitBreaker(options: NonNullable<PolicyOptions['circuitBreaker']>, world: PolicyWorld): CircuitBreaker {
  const { endpoint, clock, log, meter } = world;
  const breaker = new CircuitBreaker(options, endpoint, clock, (state, from) => {
    const write = state === 'open' ? log.warn : log.info;
    write('circuit breaker changed', { endpoint, state, from });
    changes(state).add();
  });
  const changes = (state: CircuitState): Counter =>
    meter.counter('dowel_circuit_breaker_changes_total', 'How often a circuit breaker became this.', {
      endpoint,
      state,
    });
  for (const state of circuitStates) {
    // Seen from the start: a rate can be computed only from a series that is there.
    changes(state).add(0);
    const is = (): number => (breaker.state === state ? 1 : 0);
    meter.gauge('dowel_circuit_breaker_state', '1 for the state that it is in.', { endpoint, state }, is);
  }
  return breaker;
}

function bulkhead(options: NonNullable<PolicyOptions['bulkhead']>, { endpoint, meter }: PolicyWorld): Bulkhead {
  const made = new Bulkhead(options, endpoint);
  meter.gauge('dowel_bulkhead_running', 'Calls that hold a permit.', { endpoint }, () => made.running);
  meter.gauge('dowel_bulkhead_waiting', 'Calls that wait for a permit.', { endpoint }, () => made.waiting);
  meter.gauge('dowel_bulkhead_max', 'Permits that there are.', { endpoint }, () => options.max);
  return made;
}

function breaking(breaker: CircuitBreaker): Policy {
  return (next) => async (exchange) => {
    const { clock } = exchange.services;
    const permit = breaker.enter();
    const start = clock.monotonic();
    try {
      const answer = await next(exchange);
      permit.settle('success', clock.monotonic() - start);
      return answer;
    } catch (thrown) {
      const error = toFailure(thrown);
      permit.settle(isUnhealthy(error) ? 'failure' : 'ignored', clock.monotonic() - start);
      throw error;
    }
  };
}

/** Not what the caller got wrong (4xx), nor our own cancellations and rejections. */
const isUnhealthy = (error: Failure): boolean =>
  error.kind === 'transient' && error.code !== 'deadline' && !/^http-4/.test(error.code);

function bounded(bulkhead: Bulkhead): Policy {
  return (next) => async (exchange) => {
    const leave = await bulkhead.enter(exchange.life);
    try {
      const answer = await next(exchange);
      // As long as the answer is being read, the far side is busy with it.
      if (answer) answer.body.whenClosed(leave);
      else leave();
      return answer;
    } catch (thrown) {
      leave();
      throw thrown;
    }
  };
}

function paced(limit: RateLimit): Policy {
  return (next) => async (exchange) => {
    await limit.enter(exchange.life);
    return next(exchange);
  };
}
