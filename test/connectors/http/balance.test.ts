import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Candidate, choose, type LoadBalance } from '../../../connectors/http/balance.ts';
import { seededRandom } from '../../../src/core/random.ts';

interface One extends Candidate {
  readonly name: string;
  pending: number;
  chosen: number;
}

const one = (name: string, index: number, more: Partial<One> = {}): One => ({
  name,
  target: { index, weight: 1 },
  priority: 0,
  weight: 1,
  pending: 0,
  chosen: 0,
  ...more,
});

/** How often each was chosen. */
function counted(how: LoadBalance, all: readonly One[], times: number): Readonly<Record<string, number>> {
  const random = seededRandom(7);
  const counts: Record<string, number> = {};
  for (let turn = 1; turn <= times; turn++) {
    const chosen = choose(how, all, random);
    assert.ok(chosen);
    chosen.chosen = turn;
    counts[chosen.name] = (counts[chosen.name] ?? 0) + 1;
  }
  return counts;
}

test('round robin gives each the same, in turn', () => {
  assert.deepEqual(counted('roundRobin', [one('a', 0), one('b', 1), one('c', 2)], 300), { a: 100, b: 100, c: 100 });
});

test('least pending takes the idlest, and equals in turn', () => {
  const all = [one('a', 0, { pending: 2 }), one('b', 1, { pending: 1 }), one('c', 2, { pending: 1 })];
  assert.deepEqual(counted('leastPending', all, 10), { b: 5, c: 5 });
});

test('failover takes the first, and the instances of the first in turn', () => {
  assert.deepEqual(counted('failover', [one('b', 1), one('a', 0), one('A', 0)], 10), { a: 5, A: 5 });
});

test('by weight a target gets its part however many instances it has', () => {
  const stable = { index: 0, weight: 95 };
  const canary = { index: 1, weight: 5 };
  const all = [one('s', 0, { target: stable }), ...['c1', 'c2', 'c3'].map((name) => one(name, 1, { target: canary }))];
  const counts = counted('weighted', all, 20_000);
  // Expected 1000 with a standard deviation of 31.
  const canaries = 20_000 - (counts['s'] ?? 0);
  assert.ok(canaries > 850 && canaries < 1_150, `${canaries} of 20000 went to the canary`);
  for (const name of ['c1', 'c2', 'c3']) assert.ok((counts[name] ?? 0) > 250, `${name}: ${counts[name]}`);
});

test('within a target the lowest priority number goes first, then the weights of the records', () => {
  const all = [
    one('spare', 0, { priority: 10 }),
    one('big', 0, { priority: 1, weight: 3 }),
    one('small', 0, { priority: 1, weight: 1 }),
    one('other', 1, { priority: 20 }),
  ];
  const counts = counted('weighted', all, 8_000);
  assert.equal(counts['spare'], undefined);
  const { big = 0, small = 0, other = 0 } = counts;
  assert.ok(Math.abs(big - 3_000) < 300 && Math.abs(small - 1_000) < 200 && Math.abs(other - 4_000) < 300);
});
