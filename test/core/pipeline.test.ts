import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eachBounded } from '../../src/core/pipeline.ts';

describe('eachBounded', () => {
  test('starts in order, waits for all that started when one fails, and starts no more', async () => {
    const started: number[] = [];
    let settled = 0;
    const work = async (item: number): Promise<void> => {
      started.push(item);
      await new Promise((resolve) => setImmediate(resolve));
      settled++;
      if (item === 2) throw new Error('two');
    };
    await assert.rejects(eachBounded([1, 2, 3, 4, 5, 6], 2, work), /two/);
    assert.deepEqual(started.slice(0, 2), [1, 2]);
    assert.equal(settled, started.length);
    assert.ok(started.length < 6);
  });
});
