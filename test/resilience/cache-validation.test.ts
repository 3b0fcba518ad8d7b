import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failure } from '../../src/errors.ts';
import type { Answer, Call } from '../support/engine.ts';
import { get, numbered, said, start } from './support/cache.ts';

describe('an answer that is old', () => {
  const tagged =
    (etag: string) =>
    ({ headers }: Call): Answer =>
      headers['if-none-match'] === etag
        ? { status: 304, headers: { 'cache-control': 'max-age=10', 'x-seen': 'again' } }
        : { headers: { etag, 'cache-control': 'max-age=10', 'x-seen': 'first' }, body: { n: 1 } };

  test('is asked whether it is still good: it is said again, and is good for as long as it says now', async (t) => {
    const engine = await start(t, '', tagged('"v1"'));
    assert.equal(await get(engine), 1);
    await engine.clock.advance(10_000);
    const { exchange } = await engine.send();
    assert.deepEqual(await exchange?.value(), { n: 1 });
    assert.equal(exchange?.response?.status, 200);
    assert.equal(exchange?.headers['x-seen'], 'again');
    assert.equal(exchange?.headers['etag'], '"v1"');
    await engine.clock.advance(9_999);
    assert.equal(await get(engine), 1);
    assert.equal(engine.calls.length, 2);
    assert.deepEqual(said(engine), ['kept', 'still good', 'kept', 'from the cache']);
  });

  test('is young again when it was asked about, however old it came', async (t) => {
    const far = ({ headers }: Call): Answer =>
      headers['if-none-match']
        ? { status: 304, headers: {} }
        : { headers: { etag: '"v1"', age: '8', 'cache-control': 'max-age=10' }, body: { n: 1 } };
    const engine = await start(t, '', far);
    await get(engine);
    await engine.clock.advance(2_000);
    await get(engine);
    await engine.clock.advance(9_000);
    await get(engine);
    assert.equal(engine.calls.length, 2);
  });

  test('is replaced by a new one', async (t) => {
    const engine = await start(t, '', tagged('"v1"'));
    await get(engine);
    await engine.clock.advance(10_000);
    engine.far = () => ({ headers: { etag: '"v2"', 'cache-control': 'max-age=10' }, body: { n: 2 } });
    assert.deepEqual([await get(engine), await get(engine)], [2, 2]);
    assert.equal(engine.calls[1]?.headers['if-none-match'], '"v1"');
  });

  test('of no-cache is asked each time', async (t) => {
    const far = ({ headers }: Call): Answer =>
      headers['if-none-match']
        ? { status: 304, headers: {} }
        : { headers: { etag: '"v1"', 'cache-control': 'no-cache' }, body: { n: 1 } };
    const engine = await start(t, 'ttl: 1h', far);
    assert.deepEqual([await get(engine), await get(engine), await get(engine)], [1, 1, 1]);
    assert.equal(engine.calls.length, 3);
  });

  test('is used for `staleIfError` when the call fails for a moment, with a warning', async (t) => {
    const engine = await start(t, 'ttl: 10s, staleIfError: 1m');
    await get(engine);
    engine.far = () => {
      throw failure('connection', { endpoint: 'a', detail: 'refused' });
    };
    await engine.clock.advance(69_000);
    assert.equal(await get(engine), 1);
    const line = engine.log.lines.find((one) => one.message === 'an old answer is used, for the call failed');
    assert.deepEqual(line?.fields, { endpoint: 'a', code: 'connection', ageMs: 69_000 });
    engine.far = () => {
      throw failure('validation', { detail: 'no' });
    };
    await assert.rejects(get(engine), { code: 'validation' });
    await engine.clock.advance(1_000);
    engine.far = () => {
      throw failure('connection', { endpoint: 'a', detail: 'refused' });
    };
    await assert.rejects(get(engine), { code: 'connection' });
  });

  test('is not used where it says that it must not be', async (t) => {
    const engine = await start(t, 'staleIfError: 1m', numbered({ 'cache-control': 'max-age=1, must-revalidate' }));
    await get(engine);
    await engine.clock.advance(2_000);
    engine.far = () => {
      throw failure('connection', { endpoint: 'a', detail: 'refused' });
    };
    await assert.rejects(get(engine), { code: 'connection' });
  });
});
