import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { surviving } from '../support/dying-store.ts';
import { freshStore, mainFlow, startEngine } from '../support/engine.ts';

describe('sample', () => {
  test('every: of so many messages the last goes on, the others end quietly', async (t) => {
    const engine = await startEngine(t, mainFlow('- sample: { every: 3 }\n- transform: n'));
    const bodies: unknown[] = [];
    for (let n = 1; n <= 7; n++) bodies.push((await engine.send({ body: { n } })).body);
    assert.deepEqual(bodies, [undefined, undefined, 3, undefined, undefined, 6, undefined]);
  });

  test('per: the first message of each time goes on', async (t) => {
    const engine = await startEngine(t, mainFlow('- sample: { per: 1s }\n- transform: n'));
    const bodies: unknown[] = [];
    for (const [n, ms] of [
      [1, 400],
      [2, 500],
      [3, 100],
      [4, 5000],
      [5, 0],
      [6, 0],
    ] as const) {
      bodies.push((await engine.send({ body: { n } })).body);
      await engine.clock.advance(ms);
    }
    assert.deepEqual(bodies, [1, undefined, undefined, 4, 5, undefined]);
  });

  test('a durable message that was chosen is so again when it goes on after a crash', async (t) => {
    const yaml = mainFlow('- sample: { every: 2 }\n- delay: { for: 30s }\n- send: { endpoint: out }', {
      flow: 'durable: true',
    });
    const store = freshStore();
    const first = await startEngine(t, yaml, { store: surviving(store) });
    assert.equal((await first.send({ body: 1 })).exchange, undefined);
    const sent = assert.rejects(first.send({ body: 2 }), { code: 'suspended' });
    await first.clock.advance(1000);
    await first.stop();
    await sent;
    const second = await startEngine(t, yaml, { store, seed: 2 });
    await second.clock.advance(40_000);
    assert.deepEqual(
      second.calls.map((call) => call.body),
      [2],
    );
  });
});
