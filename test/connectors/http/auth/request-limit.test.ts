import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { RequestLimit } from '../../../../connectors/http/auth/request-limit.ts';
import { VirtualClock } from '../../../../src/core/clock.ts';
import { Failure } from '../../../../src/errors.ts';
import { integrationOf, problemOf, RawClient, request } from '../support.ts';
import { ask, behind, type Guarded, startGuarded } from './support.ts';

const keys = '{ apiKey: { keys: [{ id: shop, key: key-one }, { id: till, key: key-two }] } }';

const start = async (
  t: TestContext,
  yaml: string,
): Promise<{ readonly running: Guarded; readonly clock: VirtualClock }> => {
  const clock = new VirtualClock(Date.now());
  return { clock, running: await startGuarded(t, yaml, { clock }) };
};

const open = (limit: string): string =>
  integrationOf({
    main: { from: `http: { method: [GET, POST], path: /run, rateLimit: ${limit} }`, steps: '- respond: {}' },
  });

describe('an http source with `rateLimit`', () => {
  it('answers 429 with Retry-After beyond it, and tells on every answer what is left', async (t) => {
    const { running, clock } = await start(t, open('{ rate: 6/m, burst: 2 }'));
    const run = () => request(`${running.url}/run`);
    const told = [await run(), await run()].map(({ status, headers }) => [
      status,
      headers['ratelimit'],
      headers['ratelimit-policy'],
    ]);
    assert.deepEqual(told, [
      [200, '"default";r=1;t=10', '"default";q=6;w=60'],
      [200, '"default";r=0;t=10', '"default";q=6;w=60'],
    ]);
    const refused = await run();
    assert.deepEqual([refused.status, problemOf(refused).code], [429, 'rate-limited']);
    assert.deepEqual([refused.headers['retry-after'], refused.headers['ratelimit']], ['10', '"default";r=0;t=10']);
    assert.equal(running.refused('rate'), 1);
    await clock.advance(10_000);
    assert.equal((await run()).status, 200);
  });

  it('counts each known caller apart, and not their addresses', async (t) => {
    const { running } = await start(t, behind(keys, ', rateLimit: { rate: 1/m }'));
    assert.equal((await ask(running, { 'x-api-key': 'key-one' })).status, 200);
    assert.equal((await ask(running, { 'x-api-key': 'key-one' })).status, 429);
    assert.equal((await ask(running, { 'x-api-key': 'key-two' })).status, 200);
  });

  it('counts by `key`, and by the caller where that yields nothing', async (t) => {
    const { running } = await start(t, open('{ rate: 1/m, key: "$headers.`x-tenant`" }'));
    const run = (tenant?: string) =>
      request(`${running.url}/run`, { headers: tenant === undefined ? {} : { 'x-tenant': tenant } });
    const statuses = [];
    for (const tenant of ['a', 'a', 'b', undefined, undefined, 'address 127.0.0.1'])
      statuses.push((await run(tenant)).status);
    assert.deepEqual(statuses, [200, 429, 200, 200, 429, 200]);
  });

  it('bounds how often an address may guess, without looking at what it shows then; not who shows nothing', async (t) => {
    const { running, clock } = await start(t, behind(keys, ', rateLimit: { rate: 3/m }'));
    for (let i = 0; i < 5; i++) assert.equal((await ask(running)).status, 401);
    const statuses = [];
    for (const key of ['a', 'b', 'c', 'd', 'key-one']) statuses.push((await ask(running, { 'x-api-key': key })).status);
    assert.deepEqual(statuses, [401, 401, 401, 429, 429]);
    await clock.advance(20_000);
    assert.equal((await ask(running, { 'x-api-key': 'key-one' })).status, 200);
  });

  it('refuses before the body is read', async (t) => {
    const running = await startGuarded(t, open('{ rate: 1/m }'));
    await request(`${running.url}/run`);
    const client = await RawClient.connect(t, running.port);
    client.send('POST /run HTTP/1.1', 'Host: a', 'Content-Length: 900000', 'Expect: 100-continue', '', '');
    assert.equal((await client.reply()).status, 429);
    assert.doesNotMatch(client.received, /100 Continue/);
  });
});

describe('RequestLimit', () => {
  const limit = (maxKeys: number, clock = new VirtualClock()): RequestLimit =>
    new RequestLimit({ rate: { count: 1, per: 1000 }, maxKeys }, clock);
  const isFree = (one: RequestLimit, caller: string): boolean => {
    try {
      one.take(caller);
      return true;
    } catch (thrown) {
      assert.ok(thrown instanceof Failure && thrown.code === 'rate-limited');
      return false;
    }
  };

  it('remembers so many callers and no more: the one that was silent for longest is forgotten', () => {
    const one = limit(3);
    for (const caller of ['a', 'b', 'c']) assert.ok(isFree(one, caller));
    assert.ok(!isFree(one, 'a'));
    assert.ok(isFree(one, 'd'));
    assert.equal(one.size, 3);
    assert.ok(!isFree(one, 'a'));
    assert.ok(isFree(one, 'b'));
    for (let i = 0; i < 10_000; i++) one.count(`caller ${i}`);
    assert.equal(one.size, 3);
  });

  it('keeps no long names', () => {
    const one = limit(10);
    assert.ok(isFree(one, 'x'.repeat(100_000)));
    assert.ok(!isFree(one, 'x'.repeat(100_000)));
    assert.ok(isFree(one, 'x'.repeat(100_001)));
  });
});
