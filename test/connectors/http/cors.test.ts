import assert from 'node:assert/strict';
import { test } from 'node:test';
import { integrationOf, problemOf, request, startIntegration } from './support.ts';

const shop = 'https://shop.example';

const guarded = (cors: string): string =>
  integrationOf({
    main: {
      from: `http: { method: [GET, PUT], path: "/a/{id}", cors: { ${cors} } }`,
      steps:
        '- switch:\n    cases: [ { when: $params.id = "bad", steps: [ { fail: { status: 422 } } ] } ]\n    otherwise: [ { respond: { body: ok } } ]',
    },
    open: { from: 'http: { method: GET, path: /open }', steps: '- respond: { body: ok }' },
  });

const preflight = (url: string, origin: string, headers = 'x-a, content-type') =>
  request(url, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': headers },
  });

test('a page of a named origin may call, after asking', async (t) => {
  const { url } = await startIntegration(
    t,
    guarded(`origins: ["${shop}"], expose: [x-total], credentials: true, maxAge: 5m`),
  );
  const asked = await preflight(`${url}/a/1`, shop);
  assert.equal(asked.status, 204);
  assert.equal(asked.headers['access-control-allow-origin'], shop);
  assert.equal(asked.headers['access-control-allow-methods'], 'GET, HEAD, OPTIONS, PUT');
  assert.equal(asked.headers['access-control-allow-headers'], 'x-a, content-type');
  assert.equal(asked.headers['access-control-allow-credentials'], 'true');
  assert.equal(asked.headers['access-control-max-age'], '300');
  assert.equal(asked.headers.vary, 'origin');

  const called = await request(`${url}/a/1`, { headers: { origin: shop } });
  assert.equal(called.text, '"ok"');
  assert.equal(called.headers['access-control-allow-origin'], shop);
  assert.equal(called.headers['access-control-expose-headers'], 'x-total');
  assert.equal(called.headers.vary, 'origin');
});

test('a page may read problems too', async (t) => {
  const { url } = await startIntegration(t, guarded(`origins: ["${shop}"]`));
  for (const [path, method, status] of [
    ['/a/bad', 'GET', 422],
    ['/a/1', 'DELETE', 405],
  ] as const) {
    const reply = await request(url + path, { method, headers: { origin: shop } });
    assert.equal(problemOf(reply).status, status);
    assert.equal(reply.headers['access-control-allow-origin'], shop);
  }
});

test('other origins are told nothing that would let them in', async (t) => {
  const { url } = await startIntegration(t, guarded(`origins: ["${shop}"]`));
  for (const origin of ['https://evil.example', `${shop}.evil.example`, 'null', `${shop}:8443`]) {
    const asked = await preflight(`${url}/a/1`, origin);
    assert.equal(asked.status, 204);
    assert.deepEqual(
      Object.keys(asked.headers).filter((name) => name.startsWith('access-control')),
      [],
    );
    assert.equal(asked.headers.vary, 'origin');
    const called = await request(`${url}/a/1`, { headers: { origin } });
    assert.equal(called.headers['access-control-allow-origin'], undefined);
  }
});

test('* lets everybody in, and what headers and methods are named stand in the answer', async (t) => {
  const { url } = await startIntegration(t, guarded('origins: ["*"], methods: [GET], headers: [x-b]'));
  const asked = await preflight(`${url}/a/1`, 'https://any.example');
  assert.equal(asked.headers['access-control-allow-origin'], '*');
  assert.equal(asked.headers['access-control-allow-methods'], 'GET');
  assert.equal(asked.headers['access-control-allow-headers'], 'x-b');
  assert.equal(asked.headers.vary, undefined);
});

test('without the option nothing is said about origins', async (t) => {
  const { url } = await startIntegration(t, guarded('origins: ["*"]'));
  const called = await request(`${url}/open`, { headers: { origin: shop } });
  assert.equal(called.headers['access-control-allow-origin'], undefined);
  const asked = await preflight(`${url}/open`, shop);
  assert.equal(asked.headers['access-control-allow-origin'], undefined);
  assert.equal(asked.headers.allow, 'GET, HEAD, OPTIONS');
});
