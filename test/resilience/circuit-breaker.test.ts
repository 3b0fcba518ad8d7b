import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '../../src/core/clock.ts';
import type { Random } from '../../src/core/random.ts';
import {
  CircuitBreaker,
  type CircuitBreakerOptions,
  type CircuitState,
  type Permit,
} from '../../src/resilience/circuit-breaker.ts';
import { between, pick, type Trial, tryCommands } from '../support/commands.ts';

const options: CircuitBreakerOptions = { failureRate: 50, window: 1000, minCalls: 4, openFor: 500, probes: 2 };

const make = (more: Partial<CircuitBreakerOptions> = {}) => {
  const clock = new VirtualClock();
  const states: CircuitState[] = [];
  const breaker = new CircuitBreaker({ ...options, ...more }, 'inventory', clock, (state) => states.push(state));
  const call = (result: 'success' | 'failure' | 'ignored', ms = 1): void => breaker.enter().settle(result, ms);
  return { clock, breaker, states, call };
};

describe('a circuit breaker', () => {
  test('opens when enough calls failed, and says how long', () => {
    const { breaker, call } = make();
    call('success');
    call('success');
    call('failure');
    assert.equal(breaker.state, 'closed');
    call('failure');
    assert.equal(breaker.state, 'open');
    assert.throws(() => breaker.enter(), {
      code: 'circuit-open',
      kind: 'rejected',
      facts: { endpoint: 'inventory', ms: 500, retryAfter: 500 },
    });
  });

  test('too few calls say nothing', () => {
    const { breaker, call } = make();
    for (let i = 0; i < 3; i++) call('failure');
    assert.equal(breaker.state, 'closed');
  });

  test('what is ignored counts neither way', () => {
    const { breaker, call } = make();
    for (let i = 0; i < 100; i++) call('ignored');
    for (let i = 0; i < 3; i++) call('failure');
    assert.equal(breaker.state, 'closed');
    call('failure');
    assert.equal(breaker.state, 'open');
  });

  test('failures of long ago are forgotten', async () => {
    const { breaker, call, clock } = make();
    for (let i = 0; i < 3; i++) call('failure');
    await clock.advance(1100);
    for (let i = 0; i < 3; i++) call('success');
    call('failure');
    assert.equal(breaker.state, 'closed');
  });

  test('after its time it lets so many probes through and no more; all must succeed', async () => {
    const { breaker, call, clock, states } = make();
    for (let i = 0; i < 4; i++) call('failure');
    await clock.advance(500);
    const probes = [breaker.enter(), breaker.enter()];
    assert.equal(breaker.state, 'half-open');
    assert.throws(() => breaker.enter(), { code: 'circuit-open' });
    probes[0]?.settle('success', 1);
    assert.throws(() => breaker.enter(), { code: 'circuit-open' });
    probes[1]?.settle('success', 1);
    assert.equal(breaker.state, 'closed');
    assert.deepEqual(states, ['open', 'half-open', 'closed']);
  });

  test('one probe that fails opens it again', async () => {
    const { breaker, call, clock } = make();
    for (let i = 0; i < 4; i++) call('failure');
    await clock.advance(500);
    const [first, second] = [breaker.enter(), breaker.enter()];
    first.settle('failure', 1);
    assert.equal(breaker.state, 'open');
    second.settle('success', 1);
    assert.equal(breaker.state, 'open');
    await clock.advance(500);
    breaker.enter();
    assert.equal(breaker.state, 'half-open');
  });

  test('a probe that says nothing makes room for another', async () => {
    const { breaker, call, clock } = make({ probes: 1 });
    for (let i = 0; i < 4; i++) call('failure');
    await clock.advance(500);
    breaker.enter().settle('ignored', 1);
    breaker.enter().settle('success', 1);
    assert.equal(breaker.state, 'closed');
  });

  test('a result from before the last change of state is stale', async () => {
    const { breaker, call, clock } = make();
    const late = breaker.enter();
    const later = breaker.enter();
    for (let i = 0; i < 4; i++) call('failure');
    late.settle('success', 1);
    assert.equal(breaker.state, 'open');
    await clock.advance(500);
    breaker.enter();
    later.settle('success', 1);
    later.settle('success', 1);
    assert.equal(breaker.state, 'half-open');
  });

  test('slow calls open it though they succeed', () => {
    const { breaker, call } = make({ slow: { after: 100, rate: 75 } });
    call('success', 50);
    for (let i = 0; i < 2; i++) call('success', 150);
    assert.equal(breaker.state, 'closed');
    call('success', 150);
    assert.equal(breaker.state, 'open');
  });

  test('by hand: open rejects, off lets everything through, reset starts afresh', () => {
    const { breaker, call } = make();
    breaker.force('open');
    assert.throws(() => breaker.enter(), {
      code: 'circuit-open',
      message: /^The circuit breaker of \S+ was opened by hand$/,
    });
    breaker.force('off');
    for (let i = 0; i < 10; i++) call('failure');
    assert.equal(breaker.state, 'disabled');
    breaker.force('reset');
    for (let i = 0; i < 3; i++) call('failure');
    assert.equal(breaker.state, 'closed');
  });
});

interface Result {
  readonly at: number;
  readonly failed: boolean;
}

/** The same rules, kept as plain lists. */
class Model implements Trial {
  readonly #clock = new VirtualClock();
  readonly #options: CircuitBreakerOptions;
  readonly #breaker: CircuitBreaker;
  #state: CircuitState = 'closed';
  #openUntil = 0;
  #epoch = 0;
  #results: Result[] = [];
  #good = 0;
  #running: { readonly permit: Permit; readonly epoch: number; readonly probe: boolean }[] = [];

  constructor(random: Random) {
    this.#options = {
      failureRate: between(random, 1, 100),
      window: 1000,
      minCalls: between(random, 1, 6),
      openFor: between(random, 1, 700),
      probes: between(random, 1, 3),
    };
    this.#breaker = new CircuitBreaker(this.#options, 'x', this.#clock);
  }

  next(random: Random): { name: string; run: () => void | Promise<void> } {
    const kind = pick(random, ['enter', 'enter', 'enter', 'settle', 'settle', 'settle', 'wait', 'force'] as const);
    if (kind === 'wait') {
      // Whole slices, so that the model needs no slices.
      const ms = between(random, 1, 6) * 100;
      return { name: `wait ${ms}`, run: () => this.#clock.advance(ms) };
    }
    if (kind === 'force' && random.next() < 0.1) {
      const to = pick(random, ['open', 'off', 'reset'] as const);
      return { name: `force ${to}`, run: () => this.#force(to) };
    }
    if (kind === 'settle' && this.#running.length > 0) {
      const index = between(random, 0, this.#running.length - 1);
      const result = pick(random, ['success', 'failure', 'ignored'] as const);
      return { name: `${result} ${index}`, run: () => this.#settle(index, result) };
    }
    return { name: 'enter', run: () => this.#enter() };
  }

  check(): void {
    assert.equal(this.#breaker.state, this.#state);
  }

  #force(to: 'open' | 'off' | 'reset'): void {
    this.#breaker.force(to);
    this.#become(({ open: 'forced-open', off: 'disabled', reset: 'closed' } as const)[to]);
  }

  #become(state: CircuitState): void {
    this.#state = state;
    this.#epoch++;
    this.#good = 0;
    if (state === 'closed') this.#results = [];
  }

  #enter(): void {
    const now = this.#clock.monotonic();
    if (this.#state === 'open' && now >= this.#openUntil) this.#become('half-open');
    const out = this.#running.filter((one) => one.probe && one.epoch === this.#epoch).length;
    const allowed =
      this.#state === 'closed' ||
      this.#state === 'disabled' ||
      (this.#state === 'half-open' && out + this.#good < this.#options.probes);
    if (!allowed) {
      assert.throws(() => this.#breaker.enter(), { code: 'circuit-open' });
      return;
    }
    const permit = this.#breaker.enter();
    this.#running.push({
      permit,
      epoch: this.#state === 'disabled' ? -1 : this.#epoch,
      probe: this.#state === 'half-open',
    });
  }

  #settle(index: number, result: 'success' | 'failure' | 'ignored'): void {
    const [one] = this.#running.splice(index, 1);
    if (!one) return;
    one.permit.settle(result, 1);
    if (one.epoch !== this.#epoch || result === 'ignored') return;
    const now = this.#clock.monotonic();
    if (this.#state === 'half-open') {
      if (result === 'failure') this.#open(now);
      else if (++this.#good === this.#options.probes) this.#become('closed');
      return;
    }
    this.#results.push({ at: now, failed: result === 'failure' });
    const recent = this.#results.filter((each) => each.at > now - this.#options.window);
    const failed = recent.filter((each) => each.failed).length;
    if (recent.length >= this.#options.minCalls && (failed * 100) / recent.length >= this.#options.failureRate)
      this.#open(now);
  }

  #open(now: number): void {
    this.#openUntil = now + this.#options.openFor;
    this.#become('open');
  }
}

test('a circuit breaker agrees with its model over many random sequences', async () => {
  await tryCommands((random) => new Model(random), { trials: 400, length: 80 });
});
