import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failure } from '../../../src/errors.ts';
import { call, down, flowOf, startBench } from './support.ts';

describe('a message of a source that settles', () => {
  test('is acknowledged when it is done', async (t) => {
    const { engine, broker, publish, bodies } = await startBench(t, flowOf(call));
    publish({ n: 1 });
    publish({ n: 2 });
    await engine.clock.advance(0);
    assert.deepEqual(bodies(), [{ n: 1 }, { n: 2 }]);
    assert.equal(broker.depth('work'), 0);
  });

  test('is not acknowledged before', async (t) => {
    const { engine, broker, publish } = await startBench(t, flowOf(call), {
      far: () => new Promise(() => {}) as never,
    });
    publish({ n: 1 });
    await engine.clock.advance(1000);
    assert.equal(broker.unacknowledged('work'), 1);
  });

  test('one after the other, in order, where the flow says nothing', async (t) => {
    let running = 0;
    let most = 0;
    const { engine, publish, bodies } = await startBench(t, flowOf(call), {
      far: async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        return {};
      },
    });
    for (let n = 0; n < 30; n++) publish(n);
    for (let i = 0; i < 100; i++) await engine.clock.advance(0);
    assert.equal(most, 1);
    assert.deepEqual(
      bodies(),
      Array.from({ length: 30 }, (_, n) => n),
    );
  });

  test('up to `concurrency` side by side', async (t) => {
    const { engine, publish, bodies } = await startBench(t, flowOf(call, 'concurrency: 3'), {
      far: () => new Promise(() => {}) as never,
    });
    for (let n = 0; n < 30; n++) publish(n);
    await engine.clock.advance(0);
    assert.deepEqual(bodies(), [0, 1, 2]);
  });

  test('that fails for a moment comes again later, as the next attempt, and others go on meanwhile', async (t) => {
    let failures = 2;
    const attempts: unknown[] = [];
    const steps = '- call: { endpoint: a, test: { path: put-it, what: "${{ $exchange.attempt }}" } }';
    const { engine, broker, publish, bodies, lines } = await startBench(t, flowOf(steps), {
      far: ({ body, operation }) => {
        if (body !== 1) return {};
        attempts.push(operation['what']);
        if (failures-- > 0) throw failure('timeout', { endpoint: 'a', ms: 1 });
        return {};
      },
    });
    publish(1);
    publish(2);
    await engine.clock.advance(0);
    assert.deepEqual(bodies(), [1, 2]);
    assert.equal(broker.depth('work'), 1);
    await engine.clock.advance(60_000);
    assert.deepEqual(attempts, [1, 2, 3]);
    assert.equal(broker.depth('work'), 0);
    assert.deepEqual(lines('warn'), ['a message will be redelivered', 'a message will be redelivered']);
    assert.deepEqual(lines('error'), []);
  });

  test('whose attempts are used up is moved to the store, with its bytes, and acknowledged', async (t) => {
    const { engine, broker, publish, lines } = await startBench(t, flowOf(call, 'redelivery: { maxAttempts: 3 }'), {
      far: down,
    });
    publish({ n: 1 }, { bytes: '{ "n" : 1 }', headers: { kind: 'odd' } });
    await engine.clock.advance(600_000);
    assert.equal(engine.calls.length, 3);
    assert.equal(broker.depth('work'), 0);
    assert.deepEqual(lines('error'), ['a message was moved to the dead letters']);
    const facts = engine.log.lines.find(({ level }) => level === 'error')?.fields;
    assert.equal(facts?.['code'], 'connection');
    assert.equal(facts?.['attempts'], 3);
    assert.equal(facts?.['place'], 'main/steps/0 call');
  });

  test('that can never succeed is moved at once', async (t) => {
    const { engine, broker, publish, lines } = await startBench(t, flowOf('- validate: { schema: { type: object } }'));
    publish('no object');
    await engine.clock.advance(0);
    assert.equal(broker.depth('work'), 0);
    assert.deepEqual(lines('error'), ['a message was moved to the dead letters']);
  });

  test('that cannot be read is moved at once', async (t) => {
    const { engine, broker, publish } = await startBench(t, flowOf("- transform: '$.a'"));
    publish(0, { bytes: '{ broken' });
    await engine.clock.advance(0);
    assert.equal(broker.depth('work'), 0);
    assert.equal(engine.log.lines.find(({ level }) => level === 'error')?.fields['code'], 'malformed');
  });

  test('that the broker has handed over too often is moved without being run', async (t) => {
    const { engine, broker, publish } = await startBench(t, flowOf(call, 'redelivery: { maxAttempts: 3 }'));
    publish(1, { attempt: 3 });
    publish(2, { attempt: 4 });
    await engine.clock.advance(0);
    assert.deepEqual(
      engine.calls.map(({ body }) => body),
      [1],
    );
    assert.equal(broker.depth('work'), 0);
    const facts = engine.log.lines.find(({ level }) => level === 'error')?.fields;
    assert.equal(facts?.['code'], 'interrupted');
    assert.equal(facts?.['attempts'], 3);
  });

  test('that went back again and again without being begun, as by restarts, is run all the same', async (t) => {
    const { engine, publish, bodies, lines } = await startBench(t, flowOf(call, 'redelivery: { maxAttempts: 3 }'), {
      countsDeliveries: true,
    });
    publish(1, { attempt: 4 });
    publish(2, { attempt: 10 });
    publish(3, { attempt: 11 });
    await engine.clock.advance(0);
    assert.deepEqual(bodies(), [1, 2]);
    assert.deepEqual(lines('error'), ['a message was moved to the dead letters']);
  });

  test('that is refused because somebody is busy waits with its turn, and no attempt is counted', async (t) => {
    let open = true;
    const { engine, broker, publish, bodies, lines } = await startBench(
      t,
      flowOf(call, 'redelivery: { maxAttempts: 1 }'),
      {
        far: () => {
          if (open) throw failure('circuit-open', { endpoint: 'a', ms: 5000, retryAfter: 5000 });
          return {};
        },
      },
    );
    publish(1);
    publish(2);
    await engine.clock.advance(4_900);
    assert.deepEqual(bodies(), [1], 'the second is not tried in vain');
    await engine.clock.advance(60_000);
    open = false;
    await engine.clock.advance(120_000);
    assert.deepEqual(bodies().slice(-2), [1, 2]);
    assert.equal(broker.depth('work'), 0);
    assert.deepEqual(lines('error'), []);
    assert.deepEqual([...new Set(lines('warn'))], ['messages wait for what is busy']);
    assert.ok(lines('warn').length <= 4, 'once a minute');
  });

  test('is read anew by each attempt: what one made of its value is not seen by the next', async (t) => {
    let failures = 2;
    const { engine, publish, bodies } = await startBench(
      t,
      flowOf('- script: { module: ./spoil.js }\n- call: { endpoint: a, test: { path: put-it } }'),
      {
        files: { 'spoil.js': 'export default (order) => { order.n++; return order; };\n' },
        far: () => {
          if (failures-- > 1) throw failure('rate-limited', { endpoint: 'a', rate: '1/s' });
          return failures === 0 ? down() : {};
        },
      },
    );
    publish({ n: 1 });
    await engine.clock.advance(300_000);
    assert.deepEqual(bodies(), [{ n: 2 }, { n: 2 }, { n: 2 }]);
  });

  test('is left to the far side for a longer wait, where that can be', async (t) => {
    let failing = true;
    const steps = '- call: { endpoint: a, test: { path: put-it, what: "${{ $exchange.attempt }}" } }';
    const settings = 'redelivery: { delay: 1h, maxDelay: 1h }';
    const { engine, broker, publish } = await startBench(t, flowOf(steps, settings), {
      postpones: true,
      far: () => (failing ? down() : {}),
    });
    publish(1);
    await engine.clock.advance(0);
    assert.equal(broker.unacknowledged('work'), 0, 'it is not here');
    failing = false;
    await engine.clock.advance(3_600_000);
    assert.deepEqual(
      engine.calls.map(({ operation }) => operation['what']),
      [1, 2],
    );
    assert.equal(broker.depth('work'), 0);
  });

  test('of a lane waits here, whatever the far side can', async (t) => {
    const settings = 'redelivery: { delay: 1h, maxDelay: 1h }\norderBy: k';
    const { engine, broker, publish } = await startBench(t, flowOf(call, settings), { postpones: true, far: down });
    publish({ k: 1 });
    await engine.clock.advance(1);
    assert.equal(broker.unacknowledged('work'), 1);
  });
});

describe('the log, while a far side is down', () => {
  test('has a few lines for thousands of attempts, and one when it is back', async (t) => {
    const settings = 'redelivery: { maxAttempts: 1000, delay: 100ms, factor: 1 }\nconcurrency: 50';
    let broken = true;
    const { engine, publish } = await startBench(t, flowOf(call, settings), {
      far: () => (broken ? down() : {}),
    });
    for (let n = 0; n < 50; n++) publish(n);
    await engine.clock.advance(30_000);
    const attempts = engine.calls.length;
    assert.ok(attempts > 5_000, `${attempts} attempts`);
    const told = () => engine.log.lines.filter(({ level }) => level !== 'debug' && level !== 'info');
    assert.equal(told().length, 1);
    const detailed = engine.log.lines.filter(({ message }) => message === 'a message will be redelivered');
    assert.equal(detailed.length, attempts, 'the others stand at debug');
    broken = false;
    await engine.clock.advance(600_000);
    const back = engine.log.lines.filter(({ message }) => message === 'messages go through again');
    assert.equal(back.length, 1);
    assert.equal(back[0]?.fields['count'], attempts);
  });

  test('has one line for letters of the same reason, and how many more there were', async (t) => {
    const { engine, publish } = await startBench(t, flowOf('- fail: { code: odd }'));
    for (let n = 0; n < 200; n++) publish(n);
    await engine.clock.advance(61_000);
    const told = engine.log.lines.filter(({ level }) => level === 'error');
    assert.deepEqual(
      told.map(({ message, fields }) => [message, fields['count']]),
      [
        ['a message was moved to the dead letters', undefined],
        ['a message was moved to the dead letters', 199],
      ],
    );
  });
});

describe('readiness', () => {
  test('follows sources and endpoints', async (t) => {
    const { engine, broker } = await startBench(t, flowOf(call));
    assert.equal(engine.runtime?.ready, true);
    const troubles = () => {
      const { flows = [], endpoints = [] } = engine.runtime?.status() ?? {};
      return [flows[0]?.trouble, endpoints.find(({ name }) => name === 'parked')?.trouble];
    };
    assert.deepEqual(troubles(), [undefined, undefined]);
    broker.down();
    assert.equal(engine.runtime?.ready, false);
    assert.deepEqual(troubles(), ['it is down', 'it is down']);
    broker.up = true;
    await engine.clock.advance(1000);
    assert.equal(engine.runtime?.ready, true);
  });
});
