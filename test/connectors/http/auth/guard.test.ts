import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../../../support/eventually.ts';
import { OpenIdProvider } from '../../../support/openid-provider.ts';
import { integrationOf, post, problemOf, RawClient, request, startIntegration, startService } from '../support.ts';
import { ask, behind, seen, startGuarded, withBearer } from './support.ts';

const apiKey = 'apiKey: { keys: [{ id: shop, key: key-one }], when: "$params.tenant = \'acme\'" }';

describe('an http source with several ways in', () => {
  it('takes any one of them', async (t) => {
    const issuer = await OpenIdProvider.start(t);
    const jwt = `jwt: { issuer: "${issuer.issuer}", audience: orders-api, scopes: [orders.write] }`;
    const basic = 'basic: { users: [{ name: ada, password: pw }] }';
    const running = await startGuarded(t, behind(`{ ${apiKey}, ${jwt}, ${basic} }`));
    assert.equal(seen(await ask(running, { 'x-api-key': 'key-one' })).identity['scheme'], 'apiKey');
    assert.equal(seen(await withBearer(running, issuer.token())).identity['scheme'], 'jwt');
    const name = Buffer.from('ada:pw').toString('base64');
    assert.equal(seen(await ask(running, { authorization: `Basic ${name}` })).identity['scheme'], 'basic');
    // One that is wrong does not keep out who shows another.
    const both = { 'x-api-key': 'wrong', authorization: `Bearer ${issuer.token()}` };
    assert.equal(seen(await ask(running, both)).identity['scheme'], 'jwt');
    const none = await ask(running);
    assert.equal(
      none.headers['www-authenticate'],
      'ApiKey realm="tried", Basic realm="tried", charset="UTF-8", Bearer realm="tried"',
    );
    // Known, and not allowed: the better answer of two.
    assert.equal((await ask(running, { 'x-api-key': 'key-one' }, '/orders/other')).status, 403);
    assert.equal(
      (await ask(running, { 'x-api-key': 'key-one', authorization: 'Bearer x' }, '/orders/other')).status,
      403,
    );
  });

  it('lets in by one while the server of another is down', async (t) => {
    const issuer = await OpenIdProvider.start(t);
    issuer.up = false;
    const running = await startGuarded(
      t,
      behind(`{ ${apiKey}, jwt: { issuer: "${issuer.issuer}", audience: orders-api } }`),
    );
    assert.equal((await ask(running, { 'x-api-key': 'key-one' })).status, 200);
    assert.equal((await withBearer(running, issuer.token())).status, 503);
    assert.equal((await ask(running, { 'x-api-key': 'wrong' })).status, 401);
  });

  it('tries a token with both, where the issuer is one and another server knows it', async (t) => {
    const issuer = await OpenIdProvider.start(t);
    issuer.known.set('opaque', { active: true, sub: 'bob' });
    const running = await startGuarded(
      t,
      behind(
        `{ jwt: { issuer: "${issuer.issuer}", audience: orders-api }, introspection: { url: "${issuer.url}/introspect", clientId: a, clientSecret: b } }`,
      ),
    );
    assert.equal(seen(await withBearer(running, 'opaque')).identity['subject'], 'bob');
    assert.equal(seen(await withBearer(running, issuer.token())).identity['subject'], 'ada');
    assert.equal(
      (await withBearer(running, 'x')).headers['www-authenticate'],
      'Bearer realm="tried", error="invalid_token"',
    );
  });
});

describe('a caller who is still being checked', () => {
  it('is answered before the integration stops, and by the version that it came to', async (t) => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    let asked = 0;
    const slow = await startService(t, (_, response) => {
      asked += 1;
      void released.then(() => response.end('{ "active": true, "sub": "ada" }'));
    });
    const auth = `{ introspection: { url: "${slow.url}/x", clientId: a, clientSecret: b } }`;
    const running = await startGuarded(t, behind(auth));
    const reply = withBearer(running, 'opaque');
    await eventually('it is asked about', () => asked === 1);
    const swapped = running.swap(behind(auth, '', '- respond: { body: second }'));
    release();
    assert.equal(seen(await reply).identity['subject'], 'ada');
    await swapped;
    assert.equal((await withBearer(running, 'opaque')).json, 'second');
  });

  it('whose body turns out to be broken meanwhile is answered that, once, and its flow does not run', async (t) => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const slow = await startService(t, (_, response) => void released.then(() => response.end('{ "active": true }')));
    const auth = `{ introspection: { url: "${slow.url}/x", clientId: a, clientSecret: b } }`;
    const running = await startGuarded(t, behind(auth));
    const client = await RawClient.connect(t, running.port);
    const head = [
      'POST /orders/acme HTTP/1.1',
      'Host: a',
      'Authorization: Bearer opaque',
      'Transfer-Encoding: chunked',
    ];
    client.send(...head, '', 'zz', 'rubbish', '', '');
    const reply = await client.reply();
    release();
    assert.equal(reply.status, 400);
    await client.closed;
    await eventually('all is over', () => running.runtime.idle);
    assert.equal(client.received, '');
    assert.ok(!running.log.lines.some((line) => line.message === 'step done'));
  });

  it('who goes away leaves nothing behind', async (t) => {
    const slow = await startService(t, () => {});
    const auth = `{ introspection: { url: "${slow.url}/x", clientId: a, clientSecret: b, timeout: 300ms } }`;
    const running = await startGuarded(t, behind(auth));
    const client = await RawClient.connect(t, running.port);
    client.send('GET /orders/acme HTTP/1.1', 'Host: a', 'Authorization: Bearer opaque', '', '');
    await eventually('it is asked about', () => slow.requests.length === 1);
    client.socket.destroy();
    await eventually('it is given up', () => running.refused('unavailable') === 1);
    assert.equal(running.runtime.idle, true);
  });
});

describe('pages of other origins', () => {
  it('may ask beforehand without credentials, and can read why they were refused', async (t) => {
    const running = await startGuarded(t, behind(`{ ${apiKey} }`, ', cors: { origins: ["https://shop.example"] }'));
    const origin = 'https://shop.example';
    const preflight = await request(`${running.url}/orders/acme`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers['access-control-allow-origin'], origin);
    const refused = await ask(running, { origin });
    assert.equal(refused.status, 401);
    assert.equal(refused.headers['access-control-allow-origin'], origin);
  });
});

describe('a message of a known caller', () => {
  it('that is kept in the store knows its caller still, and has no credentials with it', async (t) => {
    const issuer = await OpenIdProvider.start(t);
    const books = await startService(t, (_, response) => response.end());
    const steps = '- call: { endpoint: books, http: { path: "/${{ $identity.subject }}" }, body: "${{ $headers }}" }';
    const from = `http: { path: /orders, reply: accepted, auth: { jwt: { issuer: "${issuer.issuer}", audience: orders-api } } }`;
    const running = await startIntegration(
      t,
      integrationOf({ orders: { from, steps } }, `books: { http: { url: "${books.url}" } }`),
    );
    const token = issuer.token();
    assert.equal((await post(`${running.url}/orders`, {}, { authorization: `Bearer ${token}` })).status, 202);
    await eventually('it came', () => books.requests.length === 1);
    assert.equal(books.requests[0]?.url, '/ada');
    assert.doesNotMatch(books.requests[0]?.body ?? '', /authorization|Bearer/i);
    const refused = await post(`${running.url}/orders`, {}, { authorization: 'Bearer x' });
    assert.equal(problemOf(refused).code, 'unauthenticated');
  });

  it('that is a dead letter knows its caller when it is replayed', async (t) => {
    let answer = 400;
    const books = await startService(t, (_, response) => {
      response.statusCode = answer;
      response.end();
    });
    const steps = '- call: { endpoint: books, http: { path: "/${{ $identity.subject }}" } }';
    const from = 'http: { path: /orders, reply: accepted, auth: { apiKey: { keys: [{ id: shop, key: canary }] } } }';
    const yaml = integrationOf({ orders: { from, steps } }, `books: { http: { url: "${books.url}" } }`);
    const running = await startIntegration(t, yaml);
    await post(`${running.url}/orders`, {}, { 'x-api-key': 'canary' });
    const desk = await running.runtime.deadLetters();
    const all = async () => (await desk.list({ order: 'oldest', limit: 10 })).letters;
    await eventually('it is given up', async () => (await all()).length === 1);
    const [letter] = await all();
    const shown = await desk.show(letter?.id ?? '');
    assert.deepEqual(shown.identity, { scheme: 'apiKey', subject: 'shop', scopes: [], claims: {} });
    assert.doesNotMatch(JSON.stringify(shown), /canary/);
    answer = 200;
    await desk.replay(letter?.id ?? '', 'current');
    assert.deepEqual(
      books.requests.map((one) => one.url),
      ['/shop', '/shop'],
    );
  });

  it('is not answered what another caller was told under the same key of `idempotent`', async (t) => {
    const auth = '{ apiKey: { keys: [{ id: shop, key: a }, { id: till, key: b }] } }';
    const steps =
      '- idempotent: { key: "$headers.`idempotency-key`" }\n- respond: { body: "${{ $identity.subject }}" }';
    const running = await startGuarded(t, behind(auth, '', steps));
    const call = (key: string) => ask(running, { 'x-api-key': key, 'idempotency-key': 'k' });
    assert.deepEqual([(await call('a')).json, (await call('a')).json], ['shop', 'shop']);
    const other = await call('b');
    assert.deepEqual([other.status, problemOf(other).code], [422, 'key-reused']);
  });

  it('keeps who is asking through sub-flows, branches and errors', async (t) => {
    const steps = `
- run: { flow: inner, as: told }
- scatterGather: { branches: { a: [{ set: { body: "\${{ $identity.subject }}" } }] }, as: found }
- try:
    steps: [{ fail: { code: broken } }]
    catch: [{ steps: [{ respond: { body: ["\${{ $told }}", "\${{ $found.a }}", "\${{ $identity.subject }}"] } }] }]`;
    const yaml = `${behind(`{ ${apiKey} }`, '', steps)}\n  inner:\n    steps: [{ transform: $identity.subject }]`;
    const running = await startGuarded(t, yaml);
    assert.deepEqual((await ask(running, { 'x-api-key': 'key-one' })).json, ['shop', 'shop', 'shop']);
  });
});

describe('credentials of callers', () => {
  it('are in no log line, no answer and no metric, whatever becomes of them', async (t) => {
    const issuer = await OpenIdProvider.start(t);
    const steps =
      '- log: { message: came, fields: { all: "${{ $headers }}", who: "${{ $identity }}", from: "${{ $source }}" } }\n- fail: { code: broken, detail: "${{ $string($headers) }}" }';
    const auth = `{ apiKey: { query: key, keys: [{ id: shop, key: canary-key }] }, basic: { users: [{ name: ada, password: canary-password }] }, jwt: { issuer: "${issuer.issuer}", audience: orders-api } }`;
    const running = await startGuarded(t, behind(auth, '', steps));
    const token = issuer.token();
    const forged = `${token.slice(0, -4)}abcd`;
    const basic = Buffer.from('ada:canary-password').toString('base64');
    const guess = Buffer.from('ada:canary-guess').toString('base64');
    const replies = [
      await ask(running, { authorization: `Bearer ${token}` }),
      await ask(running, { authorization: `Bearer ${forged}` }),
      await ask(running, { authorization: `Basic ${basic}` }),
      await ask(running, { authorization: `Basic ${guess}` }),
      await ask(running, {}, '/orders/acme?key=canary-key'),
      await ask(running, {}, '/orders/acme?key=canary-guess'),
    ];
    assert.deepEqual(
      replies.map((reply) => reply.status),
      [500, 401, 500, 401, 500, 401],
    );
    const told = JSON.stringify([
      running.log.lines,
      replies.map(({ text, headers }) => [text, headers]),
      running.metrics.text(),
    ]);
    for (const secret of [
      'canary',
      basic,
      guess,
      token.slice(-40),
      forged.slice(-40),
      Buffer.from('canary').toString('base64'),
    ]) {
      assert.ok(!told.includes(secret), secret);
    }
    assert.ok(told.includes('"subject":"ada"'));
  });
});
