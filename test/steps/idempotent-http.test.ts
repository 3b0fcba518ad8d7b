import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { integrationOf, post, problemOf, request, startIntegration, startService } from '../connectors/http/support.ts';

describe('over HTTP', () => {
  const flow = (steps: string, from = 'http: { method: POST, path: /orders }') =>
    integrationOf({ main: { from, steps: `- idempotent: { key: '$headers."idempotency-key"' }\n${steps}` } });

  test('a repeat is answered byte for byte; who comes meanwhile is told when to come again', async (t) => {
    const { url, runtime } = await startIntegration(
      t,
      flow(
        '- delay: { for: 300ms }\n- respond: { status: 201, headers: { location: "/orders/${{ $uuid() }}", content-type: "application/vnd.order+json" }, body: { at: "${{ $now() }}", who: "é" } }',
      ),
    );
    const send = (body: unknown, key = 'k1') => post(`${url}/orders`, body, { 'idempotency-key': key });
    const pending = send({ sku: 'tea' });
    while (runtime.inFlight === 0) await new Promise(setImmediate);
    const meanwhile = await send({ sku: 'tea' });
    assert.equal(meanwhile.status, 409);
    assert.equal(meanwhile.headers['retry-after'], '1');
    assert.deepEqual(
      { ...problemOf(meanwhile), detail: '' },
      { status: 409, code: 'duplicate-in-flight', outcome: 'none', detail: '' },
    );
    const first = await pending;
    const again = await send({ sku: 'tea' });
    assert.equal(first.status, 201);
    assert.equal(again.text, first.text);
    const ignored = { date: '', 'x-request-id': '' };
    assert.deepEqual({ ...again.headers, ...ignored }, { ...first.headers, ...ignored });
    assert.equal(problemOf(await send({ sku: 'milk' })).status, 422);
    const { status, detail } = problemOf(await post(`${url}/orders`, {}));
    assert.deepEqual([status, detail], [400, 'The message has no key: $headers."idempotency-key" yielded nothing']);
  });

  test('a large answer that the flow relays is kept and said again', async (t) => {
    const bytes = Buffer.alloc(300_000, 'a\u0000\u00ff', 'latin1');
    const service = await startService(t, (_, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      response.end(bytes);
    });
    const yaml = integrationOf(
      {
        main: {
          from: 'http: { method: POST, path: /orders }',
          steps: `- idempotent: { key: '$headers."idempotency-key"' }\n- call: { endpoint: far }`,
        },
      },
      `far: { http: { url: ${service.url} } }`,
    );
    const { url } = await startIntegration(t, yaml);
    for (let i = 0; i < 2; i++) {
      const response = await fetch(`${url}/orders`, { method: 'POST', headers: { 'idempotency-key': 'k' } });
      assert.equal(response.headers.get('content-type'), 'application/octet-stream');
      assert.equal(Buffer.compare(Buffer.from(await response.arrayBuffer()), bytes), 0);
    }
    assert.equal(service.requests.length, 1);
  });

  test('the path and the query are part of the request, whatever its key says', async (t) => {
    const { url } = await startIntegration(
      t,
      flow('- respond: { body: { id: "${{ $params.id }}" } }', 'http: { method: PUT, path: "/orders/{id}" }'),
    );
    const put = (path: string) =>
      request(url + path, { method: 'PUT', headers: { 'idempotency-key': 'k' }, body: '{}' });
    assert.equal((await put('/orders/1')).status, 200);
    assert.equal((await put('/orders/1')).status, 200);
    assert.equal((await put('/orders/2')).status, 422);
    assert.equal((await put('/orders/1?dry=yes')).status, 422);
  });

  test('a HEAD is as good as a GET, and says how long the body is', async (t) => {
    const { url } = await startIntegration(
      t,
      flow('- respond: { body: { at: "${{ $now() }}" } }', 'http: { method: GET, path: /now }'),
    );
    const headers = { 'idempotency-key': 'k' };
    const head = await request(`${url}/now`, { method: 'HEAD', headers });
    const get = await request(`${url}/now`, { headers });
    assert.equal(head.status, 200);
    assert.equal(head.headers['content-length'], String(get.text.length));
    assert.equal((await request(`${url}/now`, { headers })).text, get.text);
  });

  test('a flow that ends with nothing is 204, again and again', async (t) => {
    const { url } = await startIntegration(t, flow('- stop: {}'));
    for (let i = 0; i < 2; i++) {
      assert.equal((await post(`${url}/orders`, {}, { 'idempotency-key': 'k' })).status, 204);
    }
  });
});
