import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { call, down, flowOf, startBench } from './support.ts';

describe('orderBy', () => {
  test('keeps messages of one key in order, and a retry holds up its own key only', async (t) => {
    let failures = 1;
    const { engine, broker, publish, bodies } = await startBench(t, flowOf(call, 'orderBy: k\nconcurrency: 2'), {
      far: ({ body }) => {
        if ((body as { readonly n: number }).n === 1 && failures-- > 0) return down();
        return {};
      },
    });
    for (const message of [
      { k: 'a', n: 1 },
      { k: 'a', n: 2 },
      { k: 'b', n: 3 },
      { k: 'b', n: 4 },
    ]) {
      publish(message);
    }
    await engine.clock.advance(0);
    assert.deepEqual(
      bodies().map((body) => (body as { readonly n: number }).n),
      [1, 3, 4],
    );
    await engine.clock.advance(60_000);
    assert.deepEqual(
      bodies().map((body) => (body as { readonly n: number }).n),
      [1, 3, 4, 1, 2],
    );
    assert.equal(broker.depth('work'), 0);
  });

  test('a message without a key is a dead letter', async (t) => {
    const { engine, broker, publish, bodies } = await startBench(t, flowOf(call, 'orderBy: k'));
    publish({ n: 1 });
    publish({ n: 2, k: 'a' });
    publish(0, { bytes: '{ broken' });
    await engine.clock.advance(0);
    assert.deepEqual(bodies(), [{ n: 2, k: 'a' }]);
    assert.equal(broker.depth('work'), 0);
    const failed = engine.log.lines.filter(({ level }) => level === 'error');
    assert.deepEqual(failed.map(({ fields }) => `${fields['code']} at ${fields['place']}`).sort(), [
      'malformed at main/orderBy',
      'no-key at main/orderBy',
    ]);
  });

  test('the lanes of the source hold where the flow says nothing', async (t) => {
    let failures = 1;
    const { engine, publish, bodies } = await startBench(t, flowOf(call, 'concurrency: 5'), {
      far: ({ body }) => (body === 1 && failures-- > 0 ? down() : {}),
    });
    publish(1, { lane: 'p0' });
    publish(2, { lane: 'p0' });
    publish(3, { lane: 'p1' });
    await engine.clock.advance(0);
    assert.deepEqual(bodies(), [1, 3]);
    await engine.clock.advance(60_000);
    assert.deepEqual(bodies(), [1, 3, 1, 2]);
  });
});
