import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '../../src/core/clock.ts';
import { Life } from '../../src/core/life.ts';
import { seededRandom } from '../../src/core/random.ts';
import { TokenBucket } from '../../src/core/token-bucket.ts';
import { RateLimit } from '../../src/resilience/rate-limit.ts';
import { between } from '../support/commands.ts';

describe('a rate limit', () => {
  test('lets a burst through, then the rate; refusals say when to come again', async () => {
    const clock = new VirtualClock();
    const limit = new RateLimit({ rate: { count: 10, per: 1000 }, burst: 2, maxWait: 0 }, 'inventory', clock);
    const life = new Life(clock);
    await limit.enter(life);
    await limit.enter(life);
    await assert.rejects(limit.enter(life), { code: 'rate-limited', kind: 'rejected', status: 429 });
    await clock.advance(99);
    await assert.rejects(limit.enter(life), { code: 'rate-limited' });
    await clock.advance(1);
    await limit.enter(life);
  });

  test('those that may wait go one after the other, at the rate', async () => {
    const clock = new VirtualClock();
    const limit = new RateLimit({ rate: { count: 10, per: 1000 }, burst: 1, maxWait: 250 }, 'x', clock);
    const at: number[] = [];
    const enter = (): Promise<unknown> => limit.enter(new Life(clock)).then(() => at.push(clock.monotonic()));
    const all = Promise.allSettled([enter(), enter(), enter(), enter()]);
    await clock.advance(1000);
    assert.deepEqual(at, [0, 100, 200]);
    assert.equal((await all).filter((one) => one.status === 'rejected').length, 1);
  });

  test('never more than the burst and the rate allow, in any stretch of time', async () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = seededRandom(seed);
      const clock = new VirtualClock();
      const rate = { count: between(random, 1, 20), per: 1000 };
      const burst = between(random, 1, 10);
      const bucket = new TokenBucket(rate, burst, clock);
      const passed: number[] = [];
      for (let i = 0; i < 300; i++) {
        await clock.advance(between(random, 0, 80));
        const taken = bucket.take(0);
        if ('wait' in taken) passed.push(clock.monotonic());
      }
      for (const [index, from] of passed.entries()) {
        for (const [more, to] of passed.slice(index).entries()) {
          const allowed = burst + ((to - from) * rate.count) / rate.per;
          assert.ok(more + 1 <= allowed + 1e-6, `seed ${seed}: ${more + 1} in ${to - from} ms`);
        }
      }
    }
  });
});
