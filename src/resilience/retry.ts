/**
 * Retry: seconds, in process, inside the deadline. What may be repeated is decided by what a repeat would do, not by
 * hope: a call that changes something goes out again only if it surely never went out, or if the file says that it may.
 */
import { backoff } from '../core/backoff.ts';
import { sleep } from '../core/clock.ts';
import type { Exchange } from '../core/exchange.ts';
import type { Meter } from '../core/meter.ts';
import type { Random } from '../core/random.ts';
import { Refrain, type RefrainLine } from '../core/refrain.ts';
import { type Failure, failureMatches, outcomeOf, toFailure } from '../errors.ts';
import type { Infer } from '../schema/infer.ts';
import type { Schema } from '../schema/schema.ts';
import type { Policy } from './policy.ts';

export const retryOptions = {
  type: 'object',
  description:
    'Repeats calls that failed for a moment. Calls that change something (POST …) are repeated only when they surely were not sent, or when the step says `idempotent: true` or gives an `idempotencyKey`.',
  properties: {
    maxAttempts: {
      type: 'integer',
      minimum: 1,
      maximum: 100,
      default: 3,
      description: 'Calls in total, the first one included.',
    },
    delay: {
      type: 'string',
      format: 'duration',
      default: '100ms',
      description:
        'The longest pause before the second call; the real one is drawn between nothing and it (full jitter).',
    },
    factor: { type: 'number', minimum: 1, maximum: 10, default: 2, description: 'By which the pause grows each time.' },
    maxDelay: { type: 'string', format: 'duration', default: '10s', description: 'The longest pause of all.' },
    maxRetryAfter: {
      type: 'string',
      format: 'duration',
      default: '30s',
      description: 'A `Retry-After` of the service is obeyed up to this; when it asks for more, the call has failed.',
    },
    on: {
      type: 'array',
      items: { type: 'string' },
      minItems: 1,
      description: 'Codes, classes or kinds of the errors that are retried. Default: `[transient]`.',
      examples: [['timeout', 'connection', 'http-503']],
    },
    budget: {
      type: 'string',
      enum: ['on', 'off'],
      default: 'on',
      description:
        'Keeps retries from multiplying the load of a service that is down: at most one for ten first calls, after a stock of 50.',
    },
  },
} as const satisfies Schema;

export type RetryOptions = Infer<typeof retryOptions>;

/** A bucket of tokens, full at start: a retry takes one, a first call adds a tenth ("retry budget", Google SRE book). */
class RetryBudget {
  static readonly size = 50;
  static readonly perCall = 0.1;
  #tokens = RetryBudget.size;

  called(): void {
    this.#tokens = Math.min(RetryBudget.size, this.#tokens + RetryBudget.perCall);
  }

  take(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

const retrying: RefrainLine = { level: 'warn', message: 'retrying', over: 'calls go through again' };
const spent: RefrainLine = { level: 'warn', message: 'not retried: the retry budget is spent' };

export interface RetryWorld {
  readonly endpoint: string;
  readonly meter: Meter;
  /** Whether doing this call twice is as good as once. */
  readonly repeatable: (exchange: Exchange) => boolean;
}

/** Calls again, as often as the options, the budget, the deadline and the nature of the call allow. */
export function retry(options: RetryOptions, world: RetryWorld): Policy {
  const budget = options.budget === 'on' ? new RetryBudget() : undefined;
  const selectors = options.on ?? ['transient'];
  const { endpoint } = world;
  const retries = world.meter.counter('dowel_call_retries_total', 'Calls that were made again.', { endpoint });
  const refused = world.meter.counter(
    'dowel_call_retries_refused_total',
    'Calls that were not made again because the retry budget was spent.',
    { endpoint },
  );
  let said: { readonly retrying: Refrain; readonly spent: Refrain } | undefined;
  const say = ({ services }: Exchange): NonNullable<typeof said> => {
    said ??= { retrying: new Refrain(retrying, services), spent: new Refrain(spent, services) };
    return said;
  };
  return (next) => async (exchange) => {
    const { clock, random } = exchange.services;
    const repeatable = world.repeatable(exchange);
    budget?.called();
    let doubtful = false;
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await next(exchange);
        said?.retrying.well();
        return answer;
      } catch (thrown) {
        const error = toFailure(thrown);
        // What never went out this time may have been done the time before.
        if (outcomeOf(error) === 'unknown') doubtful = true;
        else error.doubtful = doubtful;
        const pause = pauseAfter(error, attempt, random);
        if (pause === undefined || !mayRepeat(error, repeatable) || exchange.life.aborted) throw error;
        const { left } = exchange.life;
        if (left !== undefined && pause >= left) throw error;
        if (budget && !budget.take()) {
          refused.add();
          say(exchange).spent.again(error.code, { endpoint, code: error.code }, {});
          throw error;
        }
        retries.add();
        const { code } = error;
        const facts = { ...exchange.named, attempt: attempt + 1, pauseMs: Math.round(pause) };
        say(exchange).retrying.again(code, { endpoint, code }, facts);
        await sleep(clock, pause, exchange.life.signal);
      }
    }
  };

  /** Milliseconds until the next call; `undefined` when there is none. */
  function pauseAfter(error: Failure, attempt: number, random: Random): number | undefined {
    if (attempt >= options.maxAttempts) return undefined;
    if (!selectors.some((selector) => failureMatches(error, selector))) return undefined;
    const pause = backoff(options, attempt, random);
    const asked = error.facts['retryAfter'];
    if (typeof asked !== 'number') return pause;
    return asked > options.maxRetryAfter ? undefined : Math.max(asked, pause);
  }
}

/** A rejection of ours, and a connection that was never made, sent nothing. */
const mayRepeat = (error: Failure, repeatable: boolean): boolean =>
  repeatable || error.kind === 'rejected' || error.facts['sent'] === false;
