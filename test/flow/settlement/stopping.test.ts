import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { call, down, flowOf, reload, startBench } from './support.ts';

describe('stopping', () => {
  test('gives back what waits for its turn or to be tried again, and finishes what runs', async (t) => {
    let finish = (): void => {};
    const far = ({ body }: { readonly body: unknown }): Promise<undefined> => {
      if (body === 'bad') return down();
      return new Promise((resolve) => {
        finish = () => resolve(undefined);
      });
    };
    const settings = 'redelivery: { delay: 1h, maxDelay: 1h }';
    const { engine, broker, publish } = await startBench(t, flowOf(call, settings), { far });
    publish('bad');
    publish('good');
    publish('later');
    await engine.clock.advance(0);
    const stopped = engine.runtime?.stop(10_000);
    await engine.clock.advance(0);
    assert.equal(broker.unacknowledged('work'), 0, 'nobody listens there any more');
    assert.deepEqual(broker.texts('work'), ['"bad"', '"later"']);
    finish();
    await engine.clock.advance(10_000);
    assert.equal(await stopped, 0);
    assert.deepEqual(broker.texts('work'), ['"bad"', '"later"']);
    assert.deepEqual(
      broker.messages('work').map(({ attempt }) => attempt),
      [1, 1],
      'no attempt is counted',
    );
  });

  test('gives back what does not end in time', async (t) => {
    const { engine, broker, publish } = await startBench(t, flowOf(call), {
      far: () => new Promise(() => {}) as never,
    });
    publish(1);
    await engine.clock.advance(0);
    const stopped = engine.runtime?.stop(1000);
    await engine.clock.advance(10_000);
    assert.equal(await stopped, 1);
    assert.deepEqual(broker.texts('work'), ['1']);
  });

  test('a reload hands what waits to the new version', async (t) => {
    let failing = true;
    const settings = 'redelivery: { delay: 1h, maxDelay: 1h }';
    const { engine, broker, publish, bodies } = await startBench(t, flowOf(call, settings), {
      far: () => (failing ? down() : {}),
    });
    publish(1);
    await engine.clock.advance(0);
    failing = false;
    await reload(t, engine, flowOf(call));
    await engine.clock.advance(0);
    assert.deepEqual(bodies(), [1, 1]);
    assert.equal(broker.depth('work'), 0);
  });
});
