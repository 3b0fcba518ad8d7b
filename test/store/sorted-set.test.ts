import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { SortedSet } from '../../src/store/sorted-set.ts';
import { between } from '../support/commands.ts';

test('thousands of random additions and deletions leave what a sorted list would hold', () => {
  for (const range of [3, 50, 5_000]) {
    const random = seededRandom(range);
    const set = new SortedSet<number>((a, b) => a - b);
    const model = new Set<number>();
    for (let i = 0; i < 20_000; i++) {
      const item = between(random, 1, range);
      // First it grows, then it shrinks.
      if (random.next() < (i < 12_000 ? 0.7 : 0.2)) {
        set.add(item);
        model.add(item);
      } else {
        set.delete(item);
        model.delete(item);
      }
      if (i % 500 !== 0) continue;
      const sorted = [...model].sort((a, b) => a - b);
      assert.equal(set.first, sorted[0]);
      const from = between(random, 0, range + 1);
      assert.deepEqual(
        [...set.from(from)],
        sorted.filter((one) => one >= from),
      );
    }
  }
});
