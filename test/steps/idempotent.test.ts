import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failure } from '../../src/errors.ts';
import { type Call, freshStore, mainFlow, startEngine } from '../support/engine.ts';
import { charge, chargeAndRespond, counting, guarded } from './support/idempotent.ts';

describe('a message that comes again', () => {
  test('gets the reply of the first, and nothing is done twice', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(chargeAndRespond)), { far: counting() });
    const first = await engine.send({ body: { id: 'k1' } });
    const again = await engine.send({ body: { id: 'k1' } });
    assert.equal(first.status, 201);
    assert.deepEqual(
      [again.status, { ...again.headers }, again.body],
      [first.status, { ...first.headers }, first.body],
    );
    assert.deepEqual(engine.called, ['a charge']);
    assert.equal((await engine.send({ body: { id: 'k2' } })).headers['x-charge'], '2');
  });

  test('gets the body that a flow without `respond` ended with, and its headers', async (t) => {
    const steps = guarded(`- set: { headers: { x-tag: seven } }\n${charge}\n- transform: '{ "n": $charged.n }'`);
    const engine = await startEngine(t, mainFlow(steps), { far: counting() });
    const replies = [await engine.send({ body: { id: 1 } }), await engine.send({ body: { id: 1 } })];
    for (const reply of replies) {
      assert.equal(reply.status, undefined);
      assert.deepEqual(reply.body, { n: 1 });
      assert.equal(reply.headers['x-tag'], 'seven');
    }
  });

  test('is acknowledged quietly where the first was filtered, or stopped', async (t) => {
    for (const end of ['- stop: {}', '- filter: { when: "false" }']) {
      const engine = await startEngine(t, mainFlow(guarded(`${charge}\n${end}`)), { far: counting() });
      for (let i = 0; i < 2; i++) assert.equal((await engine.send({ body: { id: 1 } })).exchange, undefined);
      assert.equal(engine.calls.length, 1);
    }
  });

  test('is acknowledged quietly where nobody waits for an answer', async (t) => {
    const yaml = mainFlow(guarded(charge)).replace('from: { test: {} }', 'from: { oneway: {} }');
    const engine = await startEngine(t, yaml, { far: counting() });
    assert.notEqual((await engine.send({ body: { id: 1 } })).exchange, undefined);
    assert.equal((await engine.send({ body: { id: 1 } })).exchange, undefined);
    assert.equal(engine.calls.length, 1);
  });

  test('after `retain` is the first again', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(chargeAndRespond, 'key: id, retain: 1h')), {
      far: counting(),
    });
    await engine.send({ body: { id: 1 } });
    await engine.clock.advance(3_599_000);
    assert.deepEqual((await engine.send({ body: { id: 1 } })).body, { n: 1 });
    await engine.clock.advance(2_000);
    assert.deepEqual((await engine.send({ body: { id: 1 } })).body, { n: 2 });
  });

  test('a key of nothing is told: 400, and nothing was started', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(charge, 'key: "[id]"')), { far: counting() });
    for (const body of [{}, { id: [] }]) {
      await assert.rejects(engine.send({ body }), { code: 'no-key', kind: 'permanent', status: 400, outcome: 'none' });
    }
    assert.equal(engine.calls.length, 0);
  });

  test('a `when` lets messages without a key through unguarded', async (t) => {
    const steps = `- when: $exists(id)\n  idempotent: { key: id }\n${chargeAndRespond}`;
    const engine = await startEngine(t, mainFlow(steps), { far: counting() });
    for (let i = 0; i < 2; i++) await engine.send({ body: {} });
    assert.equal(engine.calls.length, 2);
    for (let i = 0; i < 2; i++) assert.deepEqual((await engine.send({ body: { id: 1 } })).body, { n: 3 });
  });
});

describe('another message with the same key', () => {
  test('is refused for good: 422', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(chargeAndRespond, 'key: $headers.key')), { far: counting() });
    const send = (body: unknown) => engine.send({ body, headers: { key: 'k' } });
    await send({ amount: 1, unit: 'eur' });
    await assert.rejects(send({ amount: 2, unit: 'eur' }), { code: 'key-reused', kind: 'permanent', status: 422 });
    // Equal values are equal, whatever the order of their keys.
    await send({ unit: 'eur', amount: 1 });
    assert.equal(engine.calls.length, 1);
  });

  test('bytes are compared as they are', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(charge, 'key: $headers.key')), { far: counting() });
    const send = (text: string) =>
      engine.send({ bytes: { text, contentType: 'application/json' }, headers: { key: 'k' } });
    await send('{"a":1}');
    await send('{"a":1}');
    await assert.rejects(send('{"a": 1}'), { code: 'key-reused' });
  });

  test('is another one in another flow, and for another step of the same', async (t) => {
    const yaml = mainFlow(`${guarded(charge)}\n- run: { flow: sub, as: x }`, {
      flows: `sub:\n  steps:\n    - idempotent: { key: id }\n    - call: { endpoint: b, test: { path: ship } }`,
    });
    const engine = await startEngine(t, yaml, { far: counting() });
    await engine.send({ body: { id: 1 } });
    await engine.send({ body: { id: 1 } });
    assert.deepEqual(engine.called, ['a charge', 'b ship']);
  });
});

describe('while the first is under way', () => {
  test('a repeat is sent away for a moment: 409, and nothing was started', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(`- delay: { for: 5s }\n${chargeAndRespond}`)), {
      far: counting(),
    });
    const first = engine.send({ body: { id: 1 } });
    await engine.clock.advance(1000);
    await assert.rejects(engine.send({ body: { id: 1 } }), {
      code: 'duplicate-in-flight',
      kind: 'rejected',
      status: 409,
      outcome: 'none',
      facts: { retryAfter: 1000 },
    });
    await engine.clock.advance(5000);
    assert.deepEqual((await first).body, { n: 1 });
    assert.deepEqual((await engine.send({ body: { id: 1 } })).body, { n: 1 });
    assert.equal(engine.calls.length, 1);
  });

  test('its key stays taken, however long it takes', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(guarded(`- delay: { for: 10m }\n${chargeAndRespond}`, 'key: id, inFlight: 3s'), {
        flow: 'deadline: 1h',
      }),
      { far: counting() },
    );
    const first = engine.send({ body: { id: 1 } });
    for (let i = 0; i < 59; i++) {
      await engine.clock.advance(10_000);
      await assert.rejects(engine.send({ body: { id: 1 } }), { code: 'duplicate-in-flight' });
    }
    await engine.clock.advance(10_000);
    await first;
    assert.equal(engine.calls.length, 1);
  });

  test('of many that come at once one is done, also on two processes with one store', async (t) => {
    const store = freshStore();
    const yaml = mainFlow(guarded(`- delay: { for: 1s }\n${chargeAndRespond}`));
    const one = await startEngine(t, yaml, { far: counting(), store });
    const other = await startEngine(t, yaml, { far: counting(), store, seed: 2 });
    const sent = [one, other, one, other, one].map((engine) => engine.send({ body: { id: 1 } }));
    const settled = Promise.allSettled(sent);
    await Promise.all([one.clock.advance(2000), other.clock.advance(2000)]);
    const codes = (await settled).map((result) => (result.status === 'fulfilled' ? 'done' : result.reason.code));
    assert.deepEqual(codes.toSorted(), ['done', ...Array(4).fill('duplicate-in-flight')]);
    assert.equal(one.calls.length + other.calls.length, 1);
    assert.deepEqual((await other.send({ body: { id: 1 } })).body, { n: 1 });
  });
});

describe('a message that failed', () => {
  test('frees its key', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(chargeAndRespond)));
    engine.far = () => {
      throw failure('connection', { endpoint: 'a', detail: 'reset' });
    };
    await assert.rejects(engine.send({ body: { id: 1 } }), { code: 'connection' });
    engine.far = counting();
    assert.deepEqual((await engine.send({ body: { id: 1 } })).body, { n: 1 });
  });

  test('frees its key, though `onError` answers', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(guarded('- fail: { code: no-luck }'), {
        flow: 'onError: [ { steps: [ { respond: { status: 202 } } ] } ]',
      }),
    );
    assert.equal((await engine.send({ body: { id: 1 } })).status, 202);
    assert.deepEqual((await engine.store.list('idempotent', { limit: 10 })).entries, []);
  });

  test('frees its key when it is given up', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(`- delay: { for: 20s }\n${charge}`)), { far: counting() });
    const late = assert.rejects(engine.send({ body: { id: 1 }, deadline: 5000 }), { code: 'deadline' });
    await engine.clock.advance(5000);
    await late;
    const again = engine.send({ body: { id: 1 } });
    await engine.clock.advance(20_000);
    await again;
    assert.equal(engine.calls.length, 1);
  });

  test('frees its key only after what it did was undone', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        guarded(
          '- call: { endpoint: a, test: { path: charge }, as: c, compensate: [ { delay: { for: 3s } }, { call: { endpoint: a, test: { path: refund } } } ] }\n- fail: { code: no-luck }',
        ),
      ),
      { far: counting() },
    );
    const first = assert.rejects(engine.send({ body: { id: 1 } }), { code: 'no-luck' });
    await engine.clock.advance(1000);
    await assert.rejects(engine.send({ body: { id: 1 } }), { code: 'duplicate-in-flight' });
    await engine.clock.advance(3000);
    await first;
    assert.deepEqual(engine.called, ['a charge', 'a refund']);
    const again = assert.rejects(engine.send({ body: { id: 1 } }), { code: 'no-luck' });
    await engine.clock.advance(4000);
    await again;
    assert.equal(engine.calls.length, 4);
  });

  test('an answer that asks to come again frees the key; another answer is kept', async (t) => {
    for (const [status, done] of [
      [503, 2],
      [429, 2],
      [409, 1],
    ] as const) {
      const engine = await startEngine(t, mainFlow(guarded(`${charge}\n- respond: { status: ${status} }`)), {
        far: counting(),
      });
      for (let i = 0; i < 2; i++) assert.equal((await engine.send({ body: { id: 1 } })).status, status);
      assert.equal(engine.calls.length, done, String(status));
    }
  });

  test('a round that was done, and undone because another failed, is done again', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`
- forEach:
    items: ids
    steps:
      - idempotent: { key: $ }
      - call: { endpoint: a, test: { path: "book-\${{ $string($) }}" }, as: x, compensate: [ { call: { endpoint: a, test: { path: "undo-\${{ $string($) }}" } } } ] }
      - when: $ = 2
        call: { endpoint: b, test: { path: check } }
`),
    );
    let fails = true;
    engine.far = ({ endpoint }: Call) => {
      if (endpoint === 'b' && fails) throw failure('timeout', { endpoint });
      return { body: {} };
    };
    await assert.rejects(engine.send({ body: { ids: [1, 2] } }), { code: 'timeout' });
    assert.deepEqual(engine.called, ['a book-1', 'a book-2', 'b check', 'a undo-2', 'a undo-1']);
    assert.deepEqual((await engine.store.list('idempotent', { limit: 10 })).entries, []);
    fails = false;
    engine.calls.length = 0;
    await engine.send({ body: { ids: [1, 2, 1] } });
    assert.deepEqual(engine.called, ['a book-1', 'a book-2', 'b check']);
  });
});

describe('rounds and sub-flows', () => {
  test('a round that repeats another yields the same, with the names that it gave', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`
- forEach:
    items: ids
    parallel: 4
    steps:
      - idempotent: { key: $ }
      - call: { endpoint: a, test: { path: "get-\${{ $string($) }}" }, as: got }
    collect: '{ "id": $, "n": $got.n }'
`),
      { far: ({ operation }) => ({ body: { n: String(operation['path']).length } }) },
    );
    const { body } = await engine.send({ body: { ids: [1, 22, 1, 22] } });
    const [one, two] = [
      { id: 1, n: 5 },
      { id: 22, n: 6 },
    ];
    assert.deepEqual(body, [one, two, one, two]);
    assert.equal(engine.calls.length, 2);
  });

  test('a sub-flow is done once, and its result is that of the first', async (t) => {
    const yaml = mainFlow('- run: { flow: pay, as: paid }\n- respond: { body: "${{ $paid }}" }', {
      flows: 'pay:\n  steps:\n    - idempotent: { key: id }\n    - call: { endpoint: a, test: { path: charge } }',
    });
    const engine = await startEngine(t, yaml, { far: counting() });
    for (let i = 0; i < 2; i++) assert.deepEqual((await engine.send({ body: { id: 1 } })).body, { n: 1 });
  });
});

describe('definitions', () => {
  const warnings = async (t: Parameters<typeof startEngine>[0], steps: string) =>
    (await startEngine(t, mainFlow(steps))).diagnostics.map((one) => `${one.code} ${one.pointer}`);

  test('a key that does not depend on the message is told of', async (t) => {
    for (const key of ['"\'orders\'"', '$uuid()', '$config.NAME', '$now()']) {
      const yaml = mainFlow(guarded(charge, `key: ${key}`)).replace(
        'endpoints:',
        'config: { NAME: { default: x } }\nendpoints:',
      );
      const { diagnostics } = await startEngine(t, yaml);
      assert.deepEqual(
        diagnostics.map((one) => one.code),
        ['constant-key'],
        key,
      );
    }
    assert.deepEqual(await warnings(t, guarded(charge, 'key: \'$headers."idempotency-key"\'')), []);
  });

  test('one that guards nothing is told of', async (t) => {
    assert.deepEqual(await warnings(t, `${charge}\n- idempotent: { key: id }`), [
      'guards-nothing /flows/main/steps/1/idempotent',
    ]);
  });

  test('inside of another step it is a mistake: the rest of the flow is more than it could guard', async (t) => {
    for (const steps of [
      `- group:\n    steps:\n      - idempotent: { key: id }\n      ${charge}`,
      `- try:\n    steps: [ { log: { message: x } } ]\n    catch: [ { steps: [ { idempotent: { key: id } }, { stop: {} } ] } ]`,
    ]) {
      await assert.rejects(startEngine(t, mainFlow(steps)), /guards-a-part: `idempotent` guards the rest of its flow/);
    }
  });
});
