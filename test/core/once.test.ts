import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { once } from '../../src/core/once.ts';

describe('once', () => {
  test('runs at the first call only, and gives everybody its end', async () => {
    let runs = 0;
    const close = once(async () => ++runs);
    assert.equal(runs, 0);
    assert.deepEqual(await Promise.all([close(), close()]), [1, 1]);
    assert.equal(await close(), 1);
  });

  test('who calls after it failed is told so too, and it is not tried again', async () => {
    let runs = 0;
    const close = once(async () => {
      runs++;
      throw new Error('the disk is full');
    });
    await assert.rejects(close(), /the disk is full/);
    await assert.rejects(close(), /the disk is full/);
    assert.equal(runs, 1);
  });
});
