import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { problemOf, RawClient, request } from '../support.ts';
import { ask, behind, seen, startGuarded } from './support.ts';

const keys =
  'keys: [{ id: shop, key: key-one, scopes: [orders.read] }, { id: shop, key: key-two }, { id: till, key: key-three }]';

describe('an http source with `auth: apiKey`', () => {
  it('knows a caller by its key, and takes the key out of what the flow sees', async (t) => {
    const running = await startGuarded(t, behind(`{ apiKey: { ${keys} } }`));
    const { identity, headers } = seen(await ask(running, { 'X-Api-Key': 'key-one', 'x-other': 'y' }));
    assert.deepEqual(identity, { scheme: 'apiKey', subject: 'shop', scopes: ['orders.read'], claims: {} });
    assert.deepEqual([headers['x-api-key'], headers['x-other']], [undefined, 'y']);
    for (const [key, id] of [
      ['key-two', 'shop'],
      ['key-three', 'till'],
    ] as const) {
      assert.equal(seen(await ask(running, { 'x-api-key': key })).identity['subject'], id);
    }
  });

  it('leaves of `$headers` and `$query` what has no prototype: a name that every object knows is nothing', async (t) => {
    const steps =
      '- respond: { body: { a: "${{ $exists($headers.constructor) }}", b: "${{ $exists($query.toString) }}" } }';
    const running = await startGuarded(t, behind(`{ apiKey: { query: key, ${keys} } }`, '', steps));
    const headers = { 'x-a': '1' };
    const reply = await request(`${running.url}/orders/acme?key=key-one&__proto__=1`, { headers });
    assert.deepEqual(reply.json, { a: false, b: false });
  });

  it('refuses another key, none, a part of one, and two at once', async (t) => {
    const running = await startGuarded(t, behind(`{ apiKey: { header: x-key, ${keys} } }`));
    for (const key of ['key-onE', 'key-', 'key-one1', '']) {
      const reply = await ask(running, { 'x-key': key });
      assert.equal(problemOf(reply).code, 'unauthenticated');
      assert.equal(reply.headers['www-authenticate'], 'ApiKey realm="tried"');
    }
    assert.equal(running.refused('unknown'), 4);
    assert.equal((await ask(running, { 'x-api-key': 'key-one' })).status, 401);
    assert.equal(running.refused('missing'), 1);
    const client = await RawClient.connect(t, running.port);
    client.send('GET /orders/acme HTTP/1.1', 'Host: a', 'x-key: key-one', 'x-key: key-one', '', '');
    assert.equal((await client.reply()).status, 401);
  });

  it('takes it from the query, where neither `$query` nor `$source.url` have it then', async (t) => {
    const running = await startGuarded(t, behind(`{ apiKey: { query: key, ${keys} } }`));
    const reply = await request(`${running.url}/orders/acme?a=1&%6bey=key-one&b=2`);
    assert.doesNotMatch(reply.text, /key-one/);
    const { query, url } = reply.json as { readonly query: unknown; readonly url: unknown };
    assert.deepEqual([query, url], [{ a: '1', b: '2' }, '/orders/acme?a=1&b=2']);
    assert.equal((await ask(running, { 'x-api-key': 'key-one' })).status, 401);
    assert.equal((await request(`${running.url}/orders/acme?key=key-one&key=key-one`)).status, 401);
  });

  it('may be asked for scopes and a condition too', async (t) => {
    const scoped = await startGuarded(t, behind(`{ apiKey: { scopes: [orders.read], ${keys} } }`));
    assert.equal((await ask(scoped, { 'x-api-key': 'key-one' })).status, 200);
    const reply = await ask(scoped, { 'x-api-key': 'key-three' });
    assert.deepEqual([reply.status, problemOf(reply).code], [403, 'insufficient-scope']);
    const asked = await startGuarded(t, behind(`{ apiKey: { when: "$identity.subject = $params.tenant", ${keys} } }`));
    assert.equal((await ask(asked, { 'x-api-key': 'key-three' }, '/orders/till')).status, 200);
    assert.equal((await ask(asked, { 'x-api-key': 'key-three' }, '/orders/shop')).status, 403);
  });
});
