import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answering, calling, sentBy } from './calling.ts';
import { post, problemOf, request, startIntegration } from './support.ts';

test('a call has the method, path, query, headers and body that the file gives it, and nothing that came in', async (t) => {
  const far = await answering(t);
  const running = await startIntegration(
    t,
    calling(
      'http: { method: PUT, path: "/stock/${{ sku }}", query: { page: "${{ page }}", tag: ["${{ a }}", "b c"], none: "${{ missing }}" }, headers: { X-Trace: "${{ sku }}" } }, body: { sku: "${{ sku }}" }',
      `url: "${far.url}/v2/", headers: { x-client: dowel }, query: { key: "k&1" }`,
    ),
  );
  const sent = await post(`${running.url}/run`, { sku: 'a/b', page: 2, a: 'é' }, { 'x-secret': 's', cookie: 'c=1' });
  assert.equal(sent.text, '{"ok":true}');
  const [received] = far.requests;
  assert.ok(received);
  assert.equal(received.method, 'PUT');
  assert.equal(received.url, '/v2/stock/a%2Fb?key=k%261&page=2&tag=%C3%A9&tag=b%20c');
  assert.equal(received.body, '{"sku":"a/b"}');
  const { host, connection, traceparent, 'x-request-deadline-ms': deadline, ...others } = received.headers;
  const { 'x-request-id': requestId, ...rest } = others;
  assert.match(String(traceparent), /^00-/);
  assert.equal(requestId, sent.headers['x-request-id']);
  assert.deepEqual(rest, {
    'user-agent': 'dowel',
    'x-client': 'dowel',
    'x-trace': 'a/b',
    'content-type': 'application/json',
    'content-length': '13',
  });
  assert.equal(host, `127.0.0.1:${far.port}`);
  assert.equal(connection, 'keep-alive');
  assert.ok(Number(deadline) > 0 && Number(deadline) <= 60_000);
});

test('the body travels on with its content type when the call gives none; GET, HEAD and DELETE send none', async (t) => {
  const far = await answering(t);
  const url = `url: "${far.url}"`;
  const plain = await startIntegration(t, calling('http: {}', url));
  await request(`${plain.url}/run`, { headers: { 'content-type': 'application/xml' }, body: '<a/>' });
  assert.deepEqual([far.requests[0]?.method, far.requests[0]?.body], ['POST', '<a/>']);
  assert.equal(far.requests[0]?.headers['content-type'], 'application/xml');
  for (const method of ['GET', 'HEAD', 'DELETE']) {
    const running = await startIntegration(t, calling(`http: { method: ${method} }`, url, '- set: { body: done }'));
    const received = await sentBy(running, far, { a: 1 });
    assert.deepEqual([received.method, received.body, received.headers['content-type']], [method, '', undefined]);
  }
  const given = await startIntegration(t, calling('http: { method: DELETE }, body: { why: "${{ a }}" }', url));
  assert.equal((await sentBy(given, far, { a: 1 })).body, '{"why":1}');
});

test('a body is written by the content type that the file sets', async (t) => {
  const far = await answering(t);
  const running = await startIntegration(
    t,
    calling(
      'headers: { content-type: application/xml }, http: {}, body: { order: { id: "${{ id }}" } }',
      `url: "${far.url}"`,
    ),
  );
  const received = await sentBy(running, far, { id: 7 });
  assert.match(received.body, /<order><id>7<\/id><\/order>$/);
  assert.equal(received.headers['content-type'], 'application/xml');
});

for (const [kind, auth, expected] of [
  [
    'basic',
    'basic: { username: ann, password: "p:ä" }',
    ['authorization', `Basic ${Buffer.from('ann:p:ä').toString('base64')}`],
  ],
  ['bearer', 'bearer: { token: t0ken }', ['authorization', 'Bearer t0ken']],
  ['header', 'header: { name: X-Api-Key, value: k3y }', ['x-api-key', 'k3y']],
] as const) {
  test(`${kind} credentials are sent, and nothing in a message can change them`, async (t) => {
    const far = await answering(t);
    const running = await startIntegration(
      t,
      calling(
        'headers: { "${{ name }}": evil, authorization: evil, x-api-key: evil }, http: { headers: "${{ headers }}" }'.replace(
          '"${{ name }}": evil, ',
          '',
        ),
        `url: "${far.url}", auth: { ${auth} }`,
      ),
    );
    const { headers } = await sentBy(running, far, { headers: { Authorization: 'evil', 'X-API-Key': 'evil' } });
    assert.equal(headers[expected[0]], expected[1]);
  });
}

test('a message can choose neither host nor path outside the base nor framing', async (t) => {
  const far = await answering(t);
  const running = await startIntegration(
    t,
    calling(
      'http: { method: "${{ method }}", path: "/x/${{ path }}", query: "${{ query }}", headers: "${{ headers }}" }, body: "${{ body }}"',
      `url: "${far.url}/base"`,
    ),
  );
  const usual = { method: 'POST', path: 'p', query: {}, headers: {}, body: 'b' };
  const headers = {
    Host: 'evil',
    Connection: 'close',
    'Content-Length': '1',
    'Transfer-Encoding': 'chunked',
    'Keep-Alive': '1',
    TE: 'trailers',
    Upgrade: 'h2c',
    'Proxy-Connection': 'x',
    'X-Request-Deadline-Ms': '999999',
    'x-fine': 'yes',
  };
  const received = await sentBy(running, far, { ...usual, headers, path: '//evil.example/a?b#c' });
  assert.equal(received.url, '/base/x/%2F%2Fevil.example%2Fa%3Fb%23c');
  assert.equal(received.headers.host, `127.0.0.1:${far.port}`);
  assert.equal(received.headers.connection, 'keep-alive');
  assert.equal(received.body, '"b"');
  assert.equal(received.headers['x-fine'], 'yes');
  for (const name of ['te', 'upgrade', 'proxy-connection', 'keep-alive', 'transfer-encoding'])
    assert.equal(received.headers[name], undefined, name);
  assert.ok(Number(received.headers['x-request-deadline-ms']) <= 60_000);

  const before = far.requests.length;
  for (const bad of [
    { path: '..' },
    { path: '.' },
    { path: '//evil.example/../a' },
    { headers: { 'x-a': 'a\r\nx-evil: 1' } },
    { headers: { 'x a': '1' } },
    { headers: { 'x-a': { deep: 1 } } },
    { headers: { 'x-a': '😀' } },
    { headers: ['x'] },
    { query: { a: { deep: 1 } } },
    { query: 'a=1' },
    { method: 'CONNECT' },
    { method: 'TRACE' },
    { method: 'GET /evil HTTP/1.1\r\nx: y' },
    { method: 7 },
  ]) {
    const reply = await post(`${running.url}/run`, { ...usual, ...bad });
    assert.ok(reply.status >= 400 && reply.status <= 500, `${JSON.stringify(bad)}: ${reply.status} ${reply.text}`);
    assert.match(problemOf(reply).code, /^(bad-request|expression|validation)$/, JSON.stringify(bad));
    assert.equal(problemOf(reply).outcome, 'none');
  }
  assert.equal(far.requests.length, before);
  assert.equal((await sentBy(running, far, usual)).url, '/base/x/p');
});
