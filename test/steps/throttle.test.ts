import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { surviving } from '../support/dying-store.ts';
import { freshStore, mainFlow, startEngine } from '../support/engine.ts';

describe('throttle', () => {
  test('lets messages through at the rate, in the order in which they came', async (t) => {
    const engine = await startEngine(t, mainFlow('- throttle: { rate: 10/s, burst: 1 }\n- transform: n'));
    const done: string[] = [];
    const all = Promise.all(
      [1, 2, 3].map((n) =>
        engine.send({ body: { n } }).then(({ body }) => done.push(`${body} at ${engine.clock.monotonic()}`)),
      ),
    );
    await engine.clock.advance(1000);
    await all;
    assert.deepEqual(done, ['1 at 0', '2 at 100', '3 at 200']);
  });

  test('reject answers 429 with the time to come again', async (t) => {
    const engine = await startEngine(t, mainFlow('- throttle: { rate: 1/s, onLimit: reject }'));
    await engine.send();
    await assert.rejects(engine.send(), {
      code: 'rate-limited',
      status: 429,
      facts: { rate: '1 messages in 1000 ms', retryAfter: 1000 },
    });
  });

  test('each key has its own pace', async (t) => {
    const engine = await startEngine(t, mainFlow('- throttle: { rate: 1/s, key: tenant, onLimit: reject }'));
    await engine.send({ body: { tenant: 'a' } });
    await engine.send({ body: { tenant: 'b' } });
    await engine.send({ body: {} });
    await assert.rejects(engine.send({ body: { tenant: 'a' } }), { code: 'rate-limited' });
    await engine.clock.advance(1000);
    await engine.send({ body: { tenant: 'a' } });
  });

  test('who cannot get through within the deadline is told at once, and takes nobody else’s turn', async (t) => {
    const engine = await startEngine(t, mainFlow('- throttle: { rate: 1/s, burst: 1 }'));
    await engine.send();
    await assert.rejects(engine.send({ deadline: 500 }), { code: 'rate-limited' });
    const next = engine.send();
    await engine.clock.advance(1000);
    await next;
  });

  test('durable messages that were let through are not asked again when they go on after a crash', async (t) => {
    const yaml = mainFlow(
      '- throttle: { rate: 1/s, burst: 1, onLimit: reject }\n- delay: { for: 30s }\n- send: { endpoint: out }',
      { flow: 'durable: true' },
    );
    const store = freshStore();
    const first = await startEngine(t, yaml, { store: surviving(store) });
    const sent: Promise<void>[] = [];
    for (const body of [1, 2]) {
      sent.push(assert.rejects(first.send({ body }), { code: 'suspended' }));
      await first.clock.advance(1000);
    }
    await first.stop();
    await Promise.all(sent);
    const second = await startEngine(t, yaml, { store, seed: 2 });
    await second.clock.advance(40_000);
    assert.deepEqual(second.calls.map((call) => call.body).sort(), [1, 2]);
  });
});
