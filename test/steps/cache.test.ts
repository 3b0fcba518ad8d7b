import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failure } from '../../src/errors.ts';
import { MemoryStore } from '../../src/store/memory.ts';
import { surviving } from '../support/dying-store.ts';
import { Engine, freshStore, mainFlow, startEngine } from '../support/engine.ts';

const cached = (more = '', steps = '[ { call: { endpoint: a, test: { path: get } } } ]'): string =>
  `- cache: { key: sku, ttl: 1m, as: found, steps: ${steps}${more} }\n- respond: { body: "\${{ $found }}" }`;

/** Answers each call with its number. */
const counting = (): (() => { body: { n: number } }) => {
  let n = 0;
  return () => ({ body: { n: ++n } });
};

const tick = (): Promise<void> => new Promise(setImmediate);

describe('cache', () => {
  test('runs its steps once for each key, until the result is too old', async (t) => {
    const engine = await startEngine(t, mainFlow(cached()), { far: counting() });
    const get = async (sku: string): Promise<unknown> => (await engine.send({ body: { sku } })).body;
    assert.deepEqual(await get('tea'), { n: 1 });
    assert.deepEqual(await get('tea'), { n: 1 });
    assert.deepEqual(await get('milk'), { n: 2 });
    await engine.clock.advance(59_999);
    assert.deepEqual(await get('tea'), { n: 1 });
    await engine.clock.advance(1);
    assert.deepEqual(await get('tea'), { n: 3 });
  });

  test('without `as` the result becomes the body, byte for byte and with its type', async (t) => {
    const steps = '[ { convert: { to: xml } } ]';
    const engine = await startEngine(t, mainFlow(`- cache: { key: a.b, ttl: 1m, steps: ${steps} }`));
    const first = await engine.send({ body: { a: { b: 'x' } } });
    const again = await engine.send({ body: { a: { b: 'x', c: 'y' } } });
    for (const { exchange } of [first, again]) {
      assert.equal(exchange?.body.contentType, first.exchange?.body.contentType);
      assert.match(String(await exchange?.bytes()), /<a><b>x<\/b><\/a>$/);
    }
  });

  test('a body that the steps do not replace is yielded, and the message keeps its own', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        '- cache: { key: sku, ttl: 1m, as: found, steps: [ { log: { message: x } } ] }\n- respond: { body: { own: "${{ n }}", found: "${{ $found.n }}" } }',
      ),
    );
    await engine.send({ body: { sku: 1, n: 1 } });
    assert.deepEqual((await engine.send({ body: { sku: 1, n: 2 } })).body, { own: 2, found: 1 });
  });

  test('of many that ask at once one runs the steps', async (t) => {
    const engine = await startEngine(t, mainFlow(cached()));
    let answer: (value: { body: unknown }) => void = () => {};
    engine.far = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const all = Array.from({ length: 50 }, () => engine.send({ body: { sku: 'tea' } }));
    await tick();
    answer({ body: 'one' });
    assert.deepEqual(
      (await Promise.all(all)).map(({ body }) => body),
      Array(50).fill('one'),
    );
    assert.equal(engine.calls.length, 1);
  });

  test('an error is not kept; who waited gets it, once', async (t) => {
    const engine = await startEngine(t, mainFlow(cached()));
    engine.far = () => {
      throw failure('connection', { endpoint: 'a', detail: 'reset' });
    };
    const all = await Promise.allSettled([1, 2, 3].map(() => engine.send({ body: { sku: 'tea' } })));
    for (const one of all) {
      assert.equal(one.status === 'rejected' && one.reason.code, 'connection');
      assert.match(one.status === 'rejected' ? one.reason.place : '', /cache\/steps\/0 call/);
    }
    assert.equal(engine.calls.length, 1);
    engine.far = counting();
    assert.deepEqual((await engine.send({ body: { sku: 'tea' } })).body, { n: 1 });
  });

  test('when who runs the steps is given up, another one does', async (t) => {
    const engine = await startEngine(t, mainFlow(cached()));
    const answers: ((value: { body: unknown }) => void)[] = [];
    engine.far = () => new Promise((resolve) => void answers.push(resolve));
    const late = assert.rejects(engine.send({ body: { sku: 'tea' }, deadline: 1000 }), { code: 'deadline' });
    const patient = engine.send({ body: { sku: 'tea' } });
    await engine.clock.advance(1000);
    await late;
    assert.equal(answers.length, 2);
    answers[1]?.({ body: 'second' });
    assert.equal((await patient).body, 'second');
  });

  test('an answer that cannot be read is nobody’s result', async (t) => {
    const engine = await startEngine(t, mainFlow(cached('', '[ { script: { module: ./bytes.ts } } ]')), {
      files: { 'bytes.ts': 'export default () => new Uint8Array([1, 2]);' },
    });
    for (let i = 0; i < 2; i++) {
      await assert.rejects(engine.send({ body: { sku: 1 } }), { code: 'unsupported-media-type' });
    }
  });

  test('for a key of nothing the steps run, and nothing is kept', async (t) => {
    const engine = await startEngine(t, mainFlow(cached()), { far: counting() });
    for (const n of [1, 2]) assert.deepEqual((await engine.send({ body: {} })).body, { n });
  });

  test('steps that yield nothing leave nothing', async (t) => {
    const engine = await startEngine(t, mainFlow(cached('', '[ { filter: { when: "false" } } ]')));
    assert.equal((await engine.send({ body: { sku: 1 } })).body, undefined);
  });

  test('what a message does with the result is no matter of the others', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        `${cached().split('\n')[0]}\n- script: { module: ./spoil.ts, input: "\${{ $found }}", as: spoilt }\n- respond: { body: "\${{ $found }}" }`,
      ),
      {
        far: () => ({ body: { n: 1 } }),
        files: { 'spoil.ts': 'export default (value: { n: number }) => { value.n++; return value.n; };' },
      },
    );
    await engine.send({ body: { sku: 1 } });
    const { exchange } = await engine.send({ body: { sku: 1 } });
    assert.equal(exchange?.variables['spoilt'], 2);
  });

  test('memory is bounded, by number and by size', async (t) => {
    for (const bound of [', maxEntries: 2', ', maxSize: 1kb']) {
      const engine = await startEngine(t, mainFlow(cached(bound)), { far: () => ({ body: 'x'.repeat(200) }) });
      const called = async (sku: string): Promise<number> => {
        const before = engine.calls.length;
        await engine.send({ body: { sku } });
        return engine.calls.length - before;
      };
      for (const sku of ['a', 'b', 'c']) assert.equal(await called(sku), 1);
      assert.equal(await called('c'), 0);
      assert.equal(await called('a'), 1, bound);
    }
  });

  test('`respond` inside would answer one and not the others: it is a mistake', async (t) => {
    await assert.rejects(startEngine(t, mainFlow(cached('', '[ { respond: {} } ]'))), /nobody-awaits/);
  });

  test('a durable message sees after a crash what it saw before', async (t) => {
    const yaml = mainFlow(
      `- cache: { key: sku, ttl: 1m, as: found, steps: [ { call: { endpoint: a, test: { path: get } } } ] }\n- delay: { for: 10s }\n- send: { endpoint: out, body: "\${{ $found }}" }`,
      { flow: 'durable: true' },
    );
    const store = freshStore();
    const first = await startEngine(t, yaml, { far: counting(), store: surviving(store) });
    const sent = assert.rejects(first.send({ body: { sku: 1 } }), { code: 'suspended' });
    await first.clock.advance(1000);
    await first.stop();
    await sent;
    const second = await startEngine(t, yaml, { far: () => ({ body: { n: 99 } }), store, seed: 2 });
    await second.clock.advance(20_000);
    assert.deepEqual(
      second.calls.map(({ endpoint, body }) => ({ endpoint, body })),
      [{ endpoint: 'out', body: { n: 1 } }],
    );
  });
});

describe('a shared cache', () => {
  const yaml = mainFlow(cached(', shared: true'));

  test('is one for all processes on the store, and lives as long for each', async (t) => {
    const store = freshStore();
    const far = counting();
    const one = await startEngine(t, yaml, { far, store });
    const other = await startEngine(t, yaml, { far, store, seed: 2 });
    assert.deepEqual((await one.send({ body: { sku: 'tea' } })).body, { n: 1 });
    assert.deepEqual((await other.send({ body: { sku: 'tea' } })).body, { n: 1 });
    await other.clock.advance(60_000);
    // The store has a clock of its own, which stands.
    assert.deepEqual((await other.send({ body: { sku: 'tea' } })).body, { n: 1 });
    assert.deepEqual((await other.send({ body: { sku: 'milk' } })).body, { n: 2 });
  });

  test('of several processes one runs the steps, and the others wait for it', async (t) => {
    const store = freshStore();
    const one = await startEngine(t, yaml, { store });
    const other = await startEngine(t, yaml, { store, seed: 2, far: counting() });
    let answer: (value: { body: unknown }) => void = () => {};
    one.far = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const first = one.send({ body: { sku: 'tea' } });
    await tick();
    const second = other.send({ body: { sku: 'tea' } });
    await other.clock.advance(300);
    answer({ body: 'from one' });
    await first;
    await other.clock.advance(1000);
    assert.equal((await second).body, 'from one');
    assert.equal(other.calls.length, 0);
  });

  test('a process that dies at it is waited for only so long', async (t) => {
    const { clock, log } = new Engine(() => undefined);
    const store = new MemoryStore(clock, log);
    const one = await startEngine(t, yaml, { store, far: () => new Promise(() => {}) });
    const other = await startEngine(t, yaml, { store, seed: 2, far: counting() });
    one.send({ body: { sku: 'tea' } }).catch(() => {});
    await tick();
    const second = other.send({ body: { sku: 'tea' } });
    await other.clock.advance(1000);
    await clock.advance(10_000);
    await other.clock.advance(1000);
    assert.deepEqual((await second).body, { n: 1 });
  });

  test('an error frees the way for the next', async (t) => {
    const store = freshStore();
    const one = await startEngine(t, yaml, { store });
    const other = await startEngine(t, yaml, { store, seed: 2, far: counting() });
    one.far = () => {
      throw failure('timeout', { endpoint: 'a', ms: 1 });
    };
    await assert.rejects(one.send({ body: { sku: 'tea' } }), { code: 'timeout' });
    assert.deepEqual((await other.send({ body: { sku: 'tea' } })).body, { n: 1 });
  });

  test('a store that fails is done without, and told of once', async (t) => {
    const engine = await startEngine(t, yaml, { far: counting() });
    const { get, write } = engine.store;
    const broken = async (): Promise<never> => {
      throw failure('store', { store: 'memory', detail: 'away' });
    };
    engine.store.get = broken;
    engine.store.write = broken;
    assert.deepEqual((await engine.send({ body: { sku: 'tea' } })).body, { n: 1 });
    assert.deepEqual((await engine.send({ body: { sku: 'milk' } })).body, { n: 2 });
    const told = engine.log.lines.filter((line) => line.level !== 'debug').map((line) => line.message);
    assert.deepEqual(told, ['the shared cache cannot be used: it is done without']);
    Object.assign(engine.store, { get, write });
    assert.deepEqual((await engine.send({ body: { sku: 'coffee' } })).body, { n: 3 });
    assert.ok(engine.log.lines.some((line) => line.message === 'the shared cache can be used again'));
  });
});
