/**
 * Circuit Breaker (Nygard, "Release It!"): an endpoint that fails too often is left alone for a while, then tried with a
 * few probes. State only: who calls whom is the policy's affair.
 */
import type { Clock } from '../core/clock.ts';
import { type Failure, failure } from '../errors.ts';
import type { Infer } from '../schema/infer.ts';
import type { Schema } from '../schema/schema.ts';
import { RollingWindow } from './rolling-window.ts';

export const circuitBreakerOptions = {
  type: 'object',
  description:
    'Stops calling an endpoint that fails too often: calls fail at once (`circuit-open`) until it has had time to recover.',
  properties: {
    failureRate: {
      type: 'integer',
      minimum: 1,
      maximum: 100,
      default: 50,
      description: 'Opens when this many percent of the calls in the window failed.',
    },
    window: {
      type: 'string',
      format: 'duration',
      minimum: 100,
      default: '10s',
      description: 'The time over which calls are counted.',
    },
    minCalls: {
      type: 'integer',
      minimum: 1,
      default: 10,
      description: 'Fewer calls than this in the window say nothing: it stays closed.',
    },
    openFor: {
      type: 'string',
      format: 'duration',
      minimum: 1,
      default: '5s',
      description: 'How long it stays open before it lets probes through.',
    },
    probes: {
      type: 'integer',
      minimum: 1,
      maximum: 100,
      default: 3,
      description: 'How many calls are let through to try. All must succeed to close it; one failure opens it again.',
    },
    slow: {
      type: 'object',
      required: ['after'],
      description: 'Calls that take too long, though they succeed, open it too.',
      properties: {
        after: { type: 'string', format: 'duration', minimum: 1, description: 'A call that takes longer is slow.' },
        rate: {
          type: 'integer',
          minimum: 1,
          maximum: 100,
          default: 80,
          description: 'Opens when this many percent of the calls in the window were slow.',
        },
      },
    },
  },
} as const satisfies Schema;

export type CircuitBreakerOptions = Infer<typeof circuitBreakerOptions>;

/** `forced-open` and `disabled` are set by hand and stay until they are reset by hand. */
export const circuitStates = ['closed', 'open', 'half-open', 'forced-open', 'disabled'] as const;
export type CircuitState = (typeof circuitStates)[number];

/** A call that was let through: tells once what became of it. */
export interface Permit {
  /** `ms`: how long it took. `ignored`: it says nothing about the health of the endpoint. */
  settle(result: 'success' | 'failure' | 'ignored', ms: number): void;
}

/** Percent of the calls of a window, if they are enough to say something. */
const percent = (part: number, all: number): number => (all === 0 ? 0 : (part * 100) / all);

export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  readonly #endpoint: string;
  readonly #clock: Clock;
  readonly #changed: (state: CircuitState, from: CircuitState) => void;
  readonly #window: RollingWindow;
  #state: CircuitState = 'closed';
  /** Counts state changes: a result from before the last one is stale, and discarded. */
  #epoch = 0;
  #openUntil = 0;
  #probesOut = 0;
  #probesDone = 0;

  constructor(
    options: CircuitBreakerOptions,
    endpoint: string,
    clock: Clock,
    changed: (state: CircuitState, from: CircuitState) => void = () => {},
  ) {
    this.#options = options;
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#changed = changed;
    this.#window = new RollingWindow(options.window, clock);
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** Lets a call through, or throws `circuit-open` with the milliseconds until the next probe. */
  enter(): Permit {
    if (this.#state === 'disabled') return unwatched;
    if (this.#state === 'forced-open') throw this.#rejection(this.#options.openFor, true);
    const now = this.#clock.monotonic();
    if (this.#state === 'open') {
      if (now < this.#openUntil) throw this.#rejection(this.#openUntil - now);
      this.#become('half-open');
    }
    if (this.#state === 'half-open') return this.#probe();
    return this.#watched(() => {});
  }

  /** By hand: `open` rejects everything, `off` lets everything through unwatched, `reset` starts afresh. */
  force(to: 'open' | 'off' | 'reset'): void {
    const next = { open: 'forced-open', off: 'disabled', reset: 'closed' } as const;
    this.#become(next[to]);
  }

  #probe(): Permit {
    const { probes } = this.#options;
    if (this.#probesOut + this.#probesDone >= probes) throw this.#rejection(this.#options.openFor);
    this.#probesOut++;
    return this.#watched(() => {
      this.#probesOut--;
    });
  }

  #watched(leave: () => void): Permit {
    const epoch = this.#epoch;
    let settled = false;
    return {
      settle: (result, ms) => {
        if (settled || epoch !== this.#epoch) return;
        settled = true;
        leave();
        if (result === 'ignored') return;
        const { slow } = this.#options;
        const isSlow = slow !== undefined && ms > slow.after;
        if (this.#state === 'half-open') this.#judgeProbe(result === 'success' && !isSlow);
        else this.#judge(result, isSlow);
      },
    };
  }

  #judge(result: 'success' | 'failure', isSlow: boolean): void {
    this.#window.add(result === 'failure', isSlow);
    const { calls, failures, slow } = this.#window.counts();
    const { minCalls, failureRate } = this.#options;
    if (calls < minCalls) return;
    const slowRate = this.#options.slow?.rate ?? 101;
    if (percent(failures, calls) >= failureRate || percent(slow, calls) >= slowRate) this.#open();
  }

  #judgeProbe(good: boolean): void {
    if (!good) {
      this.#open();
      return;
    }
    this.#probesDone++;
    if (this.#probesDone >= this.#options.probes) this.#become('closed');
  }

  #open(): void {
    this.#openUntil = this.#clock.monotonic() + this.#options.openFor;
    this.#become('open');
  }

  #become(state: CircuitState): void {
    const from = this.#state;
    this.#state = state;
    this.#epoch++;
    this.#probesOut = 0;
    this.#probesDone = 0;
    if (state === 'closed') this.#window.clear();
    if (state !== from) this.#changed(state, from);
  }

  #rejection(ms: number, byHand = false): Failure {
    const facts = { endpoint: this.#endpoint, retryAfter: Math.ceil(ms) };
    return failure('circuit-open', byHand ? { ...facts, byHand } : { ...facts, ms: Math.ceil(ms) });
  }
}

const unwatched: Permit = { settle: () => {} };
