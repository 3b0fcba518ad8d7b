import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { backoff, pauseBound } from '../../src/core/backoff.ts';
import { seededRandom } from '../../src/core/random.ts';

describe('backoff', () => {
  const growth = { delay: 100, maxDelay: 1_000 };

  test('the bound doubles with each failure, up to the longest pause', () => {
    const bounds = [1, 2, 3, 4, 5, 6].map((failures) => pauseBound(growth, failures));
    assert.deepEqual(bounds, [100, 200, 400, 800, 1_000, 1_000]);
  });

  test('the bound grows by the factor that is given', () => {
    assert.deepEqual(
      [1, 2, 3].map((failures) => pauseBound({ ...growth, factor: 3 }, failures)),
      [100, 300, 900],
    );
    assert.equal(pauseBound({ ...growth, factor: 1 }, 50), 100);
  });

  test('after so many failures that the power is no number any more there is still a pause', () => {
    assert.equal(pauseBound(growth, 5_000), 1_000);
    assert.equal(pauseBound({ ...growth, delay: 0 }, 5_000), 0);
  });

  test('a pause is drawn from the whole of it: nothing and nearly the bound come, more never', () => {
    const random = seededRandom(1);
    const drawn = Array.from({ length: 1_000 }, () => backoff(growth, 3, random));
    assert.ok(drawn.every((pause) => pause >= 0 && pause < 400));
    assert.ok(drawn.some((pause) => pause < 20) && drawn.some((pause) => pause > 380));
  });
});
