import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { failure } from '../../src/errors.ts';
import { type Answer, mainFlow, startEngine } from '../support/engine.ts';
import { get, numbered, said, start } from './support/cache.ts';

describe('an answer', () => {
  test('that says nothing is good for `ttl`', async (t) => {
    const engine = await start(t, 'ttl: 30s');
    assert.equal(await get(engine), 1);
    await engine.clock.advance(29_999);
    assert.equal(await get(engine), 1);
    await engine.clock.advance(1);
    assert.equal(await get(engine), 2);
    assert.deepEqual(said(engine), ['kept', 'from the cache', 'kept']);
  });

  test('that says how long is good so long, and says how old it is', async (t) => {
    const engine = await start(t, 'ttl: 1h', numbered({ 'cache-control': 'max-age=60', age: '10' }));
    await get(engine);
    await engine.clock.advance(49_000);
    const { exchange } = await engine.send();
    assert.deepEqual(await exchange?.value(), { n: 1 });
    assert.equal(exchange?.headers['age'], '59');
    assert.equal(exchange?.response?.headers['age'], '59');
    assert.equal(exchange?.response?.status, 200);
    await engine.clock.advance(1_000);
    assert.equal(await get(engine), 2);
  });

  test('that says nothing is not kept where there is no `ttl`', async (t) => {
    const engine = await start(t, '');
    assert.deepEqual([await get(engine), await get(engine)], [1, 2]);
  });

  test('that is somebody’s own is not kept', async (t) => {
    for (const headers of [
      { 'cache-control': 'no-store' },
      { 'cache-control': 'private' },
      { 'set-cookie': 'a=b' },
      { vary: '*' },
    ]) {
      const engine = await start(t, 'ttl: 30s', numbered(headers as never));
      assert.deepEqual([await get(engine), await get(engine)], [1, 2], JSON.stringify(headers));
    }
  });

  test('of a call that changes something is never kept, nor of one that asks by its body', async (t) => {
    const engine = await start(t, 'ttl: 1h');
    assert.deepEqual([await get(engine, 'post'), await get(engine, 'post')], [1, 2]);
    const asking = await startEngine(
      t,
      mainFlow('- call: { endpoint: a, test: { path: get }, body: "${{ $headers.q }}" }', {
        policies: 'cache: { ttl: 1h }',
      }),
      { far: numbered() },
    );
    for (const n of [1, 2]) assert.deepEqual((await asking.send({ headers: { q: 'same' } })).body, { n });
  });

  test('of an error is never kept', async (t) => {
    const engine = await start(t, 'ttl: 1h');
    engine.far = () => {
      throw failure('connection', { endpoint: 'a', detail: 'reset' });
    };
    await assert.rejects(get(engine), { code: 'connection' });
    engine.far = numbered();
    assert.equal(await get(engine), 1);
  });

  test('is another one for another path, and for other headers that the file sets', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        '- call: { endpoint: a, test: { path: "get/${{ $headers.path }}" }, headers: { x-tenant: "${{ $headers.tenant }}", x-request-id: "${{ $exchange.id }}" } }',
        { policies: 'cache: { ttl: 1h }' },
      ),
      { far: numbered() },
    );
    const ask = async (path: string, tenant: string) => (await engine.send({ headers: { path, tenant } })).body;
    assert.deepEqual(await ask('x', 'one'), { n: 1 });
    assert.deepEqual(await ask('x', 'two'), { n: 2 });
    assert.deepEqual(await ask('y', 'one'), { n: 3 });
    assert.deepEqual(await ask('x', 'one'), { n: 1 });
    assert.deepEqual(await ask('x', 'two'), { n: 2 });
  });

  test('is the same for all steps that ask for it, whatever they do with it', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        `- call: { endpoint: a, test: { path: get }, as: x }
- call: { endpoint: a, test: { path: get }, idempotent: true, as: y }
- call: { endpoint: a, test: { path: get } }`,
        { policies: 'cache: { ttl: 1h }' },
      ),
      { far: numbered() },
    );
    assert.deepEqual((await engine.send()).body, { n: 1 });
    assert.equal(engine.calls.length, 1);
  });

  test('is the same for headers that `headers` does not name, unless it varies by them', async (t) => {
    for (const [vary, seen] of [
      ['accept', [1, 1, 1]],
      ['x-tenant', [1, 2, 3]],
    ] as const) {
      const engine = await startEngine(
        t,
        mainFlow('- call: { endpoint: a, test: { path: get }, headers: { x-tenant: "${{ $headers.tenant }}" } }', {
          policies: 'cache: { ttl: 1h, headers: [accept] }',
        }),
        { far: numbered({ vary }) },
      );
      const ask = async (tenant: string) => ((await engine.send({ headers: { tenant } })).body as { n: number }).n;
      assert.deepEqual([await ask('one'), await ask('two'), await ask('one')], seen, vary);
    }
  });

  test('is not looked for where the file asks for a part, sets its own condition, or wants none', async (t) => {
    for (const header of [
      'range: bytes=0-1',
      'if-none-match: x',
      'cache-control: no-store',
      'cache-control: no-cache',
    ]) {
      const engine = await startEngine(
        t,
        mainFlow(`- call: { endpoint: a, test: { path: get }, headers: { ${header} } }`, {
          policies: 'cache: { ttl: 1h }',
        }),
        { far: numbered() },
      );
      assert.deepEqual([await get(engine), await get(engine)], [1, 2], header);
    }
  });

  test('belongs to each message: what one does with it is no matter of the others', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        '- call: { endpoint: a, test: { path: get } }\n- script: { module: ./spoil.ts }\n- respond: { body: "${{ $ }}" }',
        { policies: 'cache: { ttl: 1h }' },
      ),
      {
        far: numbered(),
        files: { 'spoil.ts': 'export default (value: { n: number }) => { value.n++; return value; };' },
      },
    );
    assert.deepEqual([await get(engine), await get(engine), await get(engine)], [2, 2, 2]);
  });
});

describe('bounds', () => {
  test('by number and by size of all', async (t) => {
    for (const bound of ['maxEntries: 2', 'maxSize: 900b']) {
      const engine = await start(t, `ttl: 1h, ${bound}`, () => ({ body: 'x'.repeat(100) }));
      const calls = async (path: string): Promise<number> => {
        const before = engine.calls.length;
        await engine.send({ headers: { path } });
        return engine.calls.length - before;
      };
      for (const path of ['get/a', 'get/b', 'get/c']) assert.equal(await calls(path), 1);
      assert.equal(await calls('get/c'), 0, bound);
      assert.equal(await calls('get/a'), 1, bound);
    }
  });

  test('an answer that is too large passes on as it comes, and is not kept', async (t) => {
    const text = JSON.stringify('x'.repeat(5000));
    const engine = await start(t, 'ttl: 1h, maxAnswer: 1kb', (() => ({
      stream: Readable.from([Buffer.from(text.slice(0, 800)), Buffer.from(text.slice(800))]),
    })) as never);
    for (let i = 0; i < 2; i++) assert.equal((await engine.send()).body, JSON.parse(text));
    assert.equal(engine.calls.length, 2);
    assert.ok(said(engine).includes('not kept'));
  });

  test('a short stream is kept', async (t) => {
    const engine = await start(t, 'ttl: 1h', (() => ({
      stream: Readable.from([Buffer.from('{"n":'), Buffer.from('7}')]),
    })) as never);
    assert.deepEqual([await get(engine), await get(engine)], [7, 7]);
    assert.equal(engine.calls.length, 1);
  });
});

describe('among the other policies', () => {
  test('stands outside: what is kept needs no permit, wakes no breaker, waits for no rate', async (t) => {
    const engine = await start(t, 'ttl: 1h', numbered(), ', rateLimit: { rate: 1/h, burst: 1 }');
    for (let i = 0; i < 5; i++) assert.equal(await get(engine), 1);
    await assert.rejects(get(engine, 'get/other'), { code: 'rate-limited' });
  });

  test('a call that is repeated is one call', async (t) => {
    let n = 0;
    const far = (): Answer => {
      if (++n < 3) throw failure('connection', { endpoint: 'a', detail: 'reset' });
      return { body: { n } };
    };
    const engine = await start(t, 'ttl: 1h', far, ', retry: { maxAttempts: 3, delay: 1ms }');
    const first = get(engine);
    await engine.clock.advance(100);
    assert.equal(await first, 3);
    assert.equal(await get(engine), 3);
  });
});
