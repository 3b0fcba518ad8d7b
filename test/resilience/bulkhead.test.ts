import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '../../src/core/clock.ts';
import { Life } from '../../src/core/life.ts';
import type { Random } from '../../src/core/random.ts';
import { failure } from '../../src/errors.ts';
import { Bulkhead, type BulkheadOptions } from '../../src/resilience/bulkhead.ts';
import { between, pick, type Trial, tryCommands } from '../support/commands.ts';

describe('a bulkhead', () => {
  test('refuses at once what fits neither inside nor in line', async () => {
    const clock = new VirtualClock();
    const bulkhead = new Bulkhead({ max: 1, queue: 1, maxWait: 100 }, 'inventory');
    const leave = await bulkhead.enter(new Life(clock));
    const inLine = bulkhead.enter(new Life(clock));
    await assert.rejects(bulkhead.enter(new Life(clock)), { code: 'bulkhead-full', kind: 'rejected', status: 503 });
    leave();
    (await inLine)();
    assert.equal(bulkhead.running, 0);
  });

  test('who waits too long is refused, and makes room in line', async () => {
    const clock = new VirtualClock();
    const bulkhead = new Bulkhead({ max: 1, queue: 1, maxWait: 100 }, 'inventory');
    await bulkhead.enter(new Life(clock));
    const refused = assert.rejects(bulkhead.enter(new Life(clock)), { code: 'bulkhead-full' });
    await clock.advance(100);
    await refused;
    assert.equal(bulkhead.waiting, 0);
  });

  test('a message that is given up leaves the line with its own reason', async () => {
    const clock = new VirtualClock();
    const bulkhead = new Bulkhead({ max: 1, queue: 5, maxWait: 100 }, 'inventory');
    await bulkhead.enter(new Life(clock));
    const life = new Life(clock);
    const left = assert.rejects(bulkhead.enter(life), { code: 'deadline' });
    life.abort(failure('deadline'));
    await left;
    await assert.rejects(bulkhead.enter(life), { code: 'deadline' });
    assert.equal(bulkhead.waiting, 0);
    assert.equal(clock.next, undefined);
  });

  test('giving a permit back twice gives one back', async () => {
    const bulkhead = new Bulkhead({ max: 2, queue: 0, maxWait: 1 }, 'x');
    const life = new Life(new VirtualClock());
    const leave = await bulkhead.enter(life);
    await bulkhead.enter(life);
    leave();
    leave();
    assert.equal(bulkhead.running, 1);
  });
});

interface Caller {
  fate: Fate;
  expected: Fate;
  readonly life: Life;
  readonly until: number;
  leave?: () => void;
}

type Fate = 'inside' | 'refused' | 'waiting' | 'left';

/** Whoever comes is inside, in line, or refused; the line is served in order. */
class Model implements Trial {
  readonly #clock = new VirtualClock();
  readonly #options: BulkheadOptions;
  readonly #bulkhead: Bulkhead;
  readonly #callers: Caller[] = [];

  constructor(random: Random) {
    this.#options = { max: between(random, 1, 3), queue: between(random, 0, 3), maxWait: between(random, 1, 5) * 10 };
    this.#bulkhead = new Bulkhead(this.#options, 'x');
  }

  next(random: Random): { name: string; run: () => Promise<void> } {
    const inside = this.#callers.filter((one) => one.expected === 'inside');
    const waiting = this.#callers.filter((one) => one.expected === 'waiting');
    const kind = pick(random, ['enter', 'enter', 'leave', 'leave', 'wait', 'abort'] as const);
    if (kind === 'leave' && inside.length > 0) {
      const one = pick(random, inside);
      return { name: 'leave', run: () => this.#leave(one) };
    }
    if (kind === 'abort' && waiting.length > 0) {
      const one = pick(random, waiting);
      return { name: 'abort', run: () => this.#abort(one) };
    }
    if (kind === 'wait') {
      const ms = between(random, 1, 4) * 10;
      return { name: `wait ${ms}`, run: () => this.#wait(ms) };
    }
    return { name: 'enter', run: () => this.#enter() };
  }

  check(): void {
    assert.deepEqual(
      this.#callers.map((one) => one.fate),
      this.#callers.map((one) => one.expected),
    );
    const count = (fate: Fate): number => this.#callers.filter((one) => one.expected === fate).length;
    assert.equal(this.#bulkhead.running, count('inside'));
    assert.equal(this.#bulkhead.waiting, count('waiting'));
    assert.ok(this.#bulkhead.running <= this.#options.max);
  }

  async #enter(): Promise<void> {
    const count = (fate: Fate): number => this.#callers.filter((one) => one.expected === fate).length;
    const expected =
      count('inside') < this.#options.max ? 'inside' : count('waiting') < this.#options.queue ? 'waiting' : 'refused';
    const life = new Life(this.#clock);
    const until = this.#clock.monotonic() + this.#options.maxWait;
    const caller: Caller = { fate: 'waiting', expected, life, until };
    this.#callers.push(caller);
    this.#bulkhead.enter(life).then(
      (leave) => {
        caller.fate = 'inside';
        caller.leave = leave;
      },
      () => {
        caller.fate = 'refused';
      },
    );
    await this.#clock.advance(0);
  }

  async #leave(caller: Caller): Promise<void> {
    caller.leave?.();
    caller.fate = 'left';
    caller.expected = 'left';
    const next = this.#callers.find((one) => one.expected === 'waiting');
    if (next) next.expected = 'inside';
    await this.#clock.advance(0);
  }

  async #abort(caller: Caller): Promise<void> {
    caller.life.abort(failure('aborted'));
    caller.expected = 'refused';
    await this.#clock.advance(0);
  }

  async #wait(ms: number): Promise<void> {
    await this.#clock.advance(ms);
    for (const one of this.#callers) {
      if (one.expected === 'waiting' && one.until <= this.#clock.monotonic()) one.expected = 'refused';
    }
  }
}

test('a bulkhead agrees with its model over many random sequences', async () => {
  await tryCommands((random) => new Model(random), { trials: 150, length: 60 });
});
