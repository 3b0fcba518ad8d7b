import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import {
  integrationOf,
  post,
  problemOf,
  type Received,
  type Running,
  request,
  type Service,
  startIntegration,
  startRawService,
  startService,
  startSocketService,
} from './support.ts';

const json = { 'content-type': 'application/json' };

/** One flow, `POST /run`, with one call; the endpoint `far` has these options. */
const calling = (call: string, endpoint: string, more = ''): string =>
  integrationOf(
    { main: { from: 'http: { path: /run }', steps: `- call: { endpoint: far, ${call} }\n${more}` } },
    `far:\n  http: { ${endpoint} }`,
  );

/** What the far side got when the flow was given `body`. */
async function sentBy(running: Running, service: Service, body: unknown = {}): Promise<Received> {
  const reply = await post(`${running.url}/run`, body);
  assert.equal(reply.status, 200, reply.text);
  const last = service.requests.at(-1);
  assert.ok(last);
  return last;
}

const answering = (t: Parameters<typeof startService>[0]): Promise<Service> =>
  startService(t, (_, response) => {
    response.writeHead(200, json).end('{"ok":true}');
  });

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

test('the answer becomes the message, with its status and headers in $response', async (t) => {
  const far = await startService(t, (_, response) => {
    response.writeHead(201, { ...json, 'x-one': '1', 'set-cookie': ['a=1', 'b=2'] }).end('{"id":7}');
  });
  const running = await startIntegration(
    t,
    calling(
      'http: {}',
      `url: "${far.url}"`,
      '- respond: { body: { id: "${{ id }}", status: "${{ $response.status }}", one: "${{ $response.headers.`x-one` }}", cookies: "${{ $response.headers.`set-cookie` }}", from: "${{ $response.endpoint }}", odd: "${{ $exists($response.headers.constructor) }}" } }',
    ),
  );
  const reply = await post(`${running.url}/run`, {});
  assert.deepEqual(reply.json, { id: 7, status: 201, one: '1', cookies: ['a=1', 'b=2'], from: 'far', odd: false });
  assert.equal(reply.headers['x-one'], undefined);
  assert.equal(reply.headers['set-cookie'], undefined);
});

test('a status that is not expected is an error with its code; the rest of the flow does not run', async (t) => {
  const far = await startService(t, ({ url }, response) => {
    response.writeHead(Number(url.slice(1)), { ...json, 'retry-after': '7' }).end('{"why":"because"}');
  });
  const running = await startIntegration(t, calling('http: { path: "/${{ status }}" }', `url: "${far.url}"`));
  const outcome = async (status: number) => {
    const reply = await post(`${running.url}/run`, { status });
    const { code, outcome } = problemOf(reply);
    return [reply.status, code, outcome, reply.headers['retry-after']];
  };
  assert.deepEqual(await outcome(404), [502, 'http-404', 'none', '7']);
  assert.deepEqual(await outcome(503), [502, 'http-503', 'unknown', '7']);
  assert.deepEqual(await outcome(302), [502, 'http-302', 'none', '7']);
});

test('expect names statuses and classes that are success; redirects are never followed', async (t) => {
  const far = await startService(t, ({ url }, response) => {
    response.writeHead(Number(url.slice(1)), { ...json, location: '/200' }).end('{}');
  });
  const running = await startIntegration(
    t,
    calling(
      'expect: [2xx, 404, 3xx], http: { path: "/${{ status }}" }',
      `url: "${far.url}"`,
      '- respond: { body: "${{ $response.status }}" }',
    ),
  );
  const run = async (status: number) => (await post(`${running.url}/run`, { status })).text;
  assert.deepEqual([await run(200), await run(404), await run(302)], ['200', '404', '302']);
  assert.match(await run(409), /http-409/);
  assert.deepEqual(
    far.requests.map((one) => one.url),
    ['/200', '/404', '/302', '/409'],
  );
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

test('an answer is read as the file says, whatever its content type', async (t) => {
  const far = await startService(t, (_, response) => {
    response
      .writeHead(200, { 'content-type': 'text/html; charset=iso-8859-1' })
      .end(Buffer.from('{"name":"J\xfcrgen"}', 'latin1'));
  });
  const running = await startIntegration(
    t,
    calling(
      'http: {}',
      `url: "${far.url}", response: { format: json }`,
      '- respond: { body: { name: "${{ name }}" } }',
    ),
  );
  assert.deepEqual((await post(`${running.url}/run`, {})).json, { name: 'Jürgen' });
});

test('an answer that is not what it says is the far side’s fault', async (t) => {
  const far = await startService(t, (_, response) => {
    response.writeHead(200, json).end('{"broken":');
  });
  const running = await startIntegration(t, calling('http: { method: GET }, as: found', `url: "${far.url}"`));
  const reply = await post(`${running.url}/run`, {});
  assert.deepEqual([reply.status, problemOf(reply).code], [502, 'invalid-response']);
});

test('an answer larger than maxResponse cannot be looked at, but can be relayed', async (t) => {
  const far = await startService(t, (_, response) => {
    response.writeHead(200, json).end(JSON.stringify('x'.repeat(5000)));
  });
  const endpoint = `url: "${far.url}", maxResponse: 1kb`;
  const looking = await startIntegration(t, calling('http: {}, as: found', endpoint));
  const reply = await post(`${looking.url}/run`, {});
  assert.deepEqual([reply.status, problemOf(reply).code], [502, 'response-too-large']);
  const relaying = await startIntegration(t, calling('http: {}', endpoint));
  assert.equal((await post(`${relaying.url}/run`, {})).text.length, 5002);
});

test('compressed answers are understood, and broken ones are the far side’s fault', async (t) => {
  const zlib = process.getBuiltinModule('node:zlib');
  const text = JSON.stringify({ text: 'x'.repeat(100_000) });
  const packed: Readonly<Record<string, Uint8Array>> = {
    gzip: zlib.gzipSync(text),
    deflate: zlib.deflateSync(text),
    br: zlib.brotliCompressSync(text),
    zstd: zlib.zstdCompressSync(text),
    'gzip, br': zlib.brotliCompressSync(zlib.gzipSync(text)),
    identity: Buffer.from(text),
  };
  const far = await startService(t, ({ headers }, response) => {
    const encoding = String(headers['x-encoding']);
    const [name, cut] = encoding.split('|');
    const bytes = packed[name ?? ''] ?? Buffer.from('?');
    response.writeHead(200, { ...json, 'content-encoding': name }).end(cut ? bytes.subarray(0, Number(cut)) : bytes);
  });
  const running = await startIntegration(
    t,
    calling(
      'http: { headers: { x-encoding: "${{ encoding }}" } }',
      `url: "${far.url}"`,
      '- respond: { body: "${{ $length(text) }}" }',
    ),
  );
  const run = (encoding: string) => post(`${running.url}/run`, { encoding });
  for (const encoding of Object.keys(packed)) assert.equal((await run(encoding)).text, '100000', encoding);
  for (const broken of ['gzip|40', 'klingon', 'gzip, gzip, gzip, gzip, gzip', 'br|3']) {
    assert.equal(problemOf(await run(broken)).code, 'invalid-response', broken);
  }
  const relaying = await startIntegration(t, calling('http: { headers: { x-encoding: gzip } }', `url: "${far.url}"`));
  const relayed = await post(`${relaying.url}/run`, {});
  assert.equal(relayed.text, text);
  assert.equal(relayed.headers['content-encoding'], undefined);
  await eventually('nothing is under way', () => running.runtime.inFlight === 0);
});

test('a service that cannot be reached is a connection error without outcome', async (t) => {
  const gone = await startSocketService(t, () => {});
  const running = await startIntegration(t, calling('http: {}', 'url: "http://127.0.0.1:1"'));
  const reply = await post(`${running.url}/run`, {});
  assert.deepEqual([reply.status, problemOf(reply).code, problemOf(reply).outcome], [502, 'connection', 'none']);
  const unknown = await startIntegration(t, calling('http: {}', 'url: "http://nowhere.invalid"'));
  assert.equal(problemOf(await post(`${unknown.url}/run`, {})).outcome, 'none');
  assert.ok(gone.url);
});

test('a service that hangs up after it was asked leaves the outcome unknown; a safe call has none', async (t) => {
  const far = await startSocketService(t, (socket) => {
    socket.on('data', () => socket.destroy());
  });
  const writing = await startIntegration(t, calling('http: { method: PUT }', `url: "${far.url}"`));
  const written = problemOf(await post(`${writing.url}/run`, {}));
  assert.deepEqual([written.code, written.outcome], ['connection', 'unknown']);
  const reading = await startIntegration(t, calling('http: { method: GET }', `url: "${far.url}"`));
  assert.equal(problemOf(await post(`${reading.url}/run`, {})).outcome, 'none');
});

test('a service that does not speak HTTP, or breaks off, is an invalid response or a connection error', async (t) => {
  const answers = ['HTTP/9.9 what\r\n\r\n', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`, 'SSH-2.0-x\r\n'];
  for (const answer of answers) {
    const far = await startSocketService(t, (socket) => {
      socket.on('data', () => socket.end(answer));
    });
    const running = await startIntegration(t, calling('http: { method: GET }', `url: "${far.url}"`));
    const problem = problemOf(await post(`${running.url}/run`, {}));
    assert.equal(problem.code, 'invalid-response', `${answer.slice(0, 20)}: ${problem.detail}`);
  }
  const short = await startSocketService(t, (socket) => {
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc'));
  });
  const running = await startIntegration(t, calling('http: { method: GET }', `url: "${short.url}"`));
  assert.match(problemOf(await post(`${running.url}/run`, {})).code, /^(connection|invalid-response)$/);
});

test('connections are used again, and one that the service has closed meanwhile does no harm', async (t) => {
  const far = await answering(t);
  const running = await startIntegration(t, calling('http: {}', `url: "${far.url}"`));
  const ports = new Set<number>();
  far.server.on('connection', (socket) => ports.add(socket.remotePort ?? 0));
  for (let i = 0; i < 5; i++) await sentBy(running, far);
  assert.equal(ports.size, 1);
  for (let i = 0; i < 20; i++) {
    // Closed while it is idle: the end may still be on its way when the next call begins.
    far.server.closeIdleConnections();
    await sentBy(running, far);
  }
});

test('a timeout cancels the call and closes its connection', async (t) => {
  const far = await startRawService(t, () => {});
  const running = await startIntegration(
    t,
    integrationOf(
      { main: { from: 'http: { path: /run }', steps: '- call: { endpoint: far, http: {} }' } },
      `far:\n  http: { url: "${far.url}" }\n  timeout: 30ms`,
    ),
  );
  const reply = await post(`${running.url}/run`, {});
  assert.deepEqual([reply.status, problemOf(reply).code, problemOf(reply).outcome], [504, 'timeout', 'unknown']);
  await eventually('the connection is closed', () => far.sockets.size === 0);
});

test('a client that goes away cancels the call that was made for it', async (t) => {
  const far = await startRawService(t, () => {});
  const running = await startIntegration(t, calling('http: {}', `url: "${far.url}"`));
  const controller = new AbortController();
  const given = fetch(`${running.url}/run`, { method: 'POST', body: '{}', signal: controller.signal }).catch(
    () => 'gone',
  );
  await eventually('the call is made', () => far.sockets.size === 1);
  controller.abort();
  assert.equal(await given, 'gone');
  await eventually('the call is cancelled', () => far.sockets.size === 0);
  await eventually('nothing is under way', () => running.runtime.inFlight === 0);
});

test('the deadline of the caller bounds the call and travels on', async (t) => {
  const far = await startRawService(t, ({ headers }, response) => {
    if (Number(headers['x-request-deadline-ms']) > 1000) response.writeHead(200, json).end('{}');
  });
  const running = await startIntegration(t, calling('http: {}', `url: "${far.url}"`));
  assert.equal((await post(`${running.url}/run`, {}, { 'x-request-deadline-ms': '5000' })).status, 200);
  const late = await post(`${running.url}/run`, {}, { 'x-request-deadline-ms': '40' });
  assert.deepEqual([late.status, problemOf(late).code], [504, 'deadline']);
  await eventually('the late call is cancelled', () => far.sockets.size <= 1);
});

test('no more connections are open than the pool allows, and calls wait for one', async (t) => {
  let most = 0;
  const far = await startRawService(t, (_, response) => {
    most = Math.max(most, far.sockets.size);
    setImmediate(() => response.writeHead(200, json).end('{}'));
  });
  const running = await startIntegration(
    t,
    calling('http: { method: GET }', `url: "${far.url}", pool: { connections: 3 }`),
  );
  const replies = await Promise.all(Array.from({ length: 40 }, () => post(`${running.url}/run`, {})));
  assert.ok(replies.every((one) => one.status === 200));
  assert.equal(most, 3);
});

test('a stopped integration leaves no connection behind', async (t) => {
  const far = await answering(t);
  const running = await startIntegration(t, calling('http: {}', `url: "${far.url}"`));
  await sentBy(running, far);
  assert.equal(far.sockets.size, 1);
  await running.runtime.stop(1000);
  await eventually('no connection is left', () => far.sockets.size === 0);
  await assert.rejects(post(`${running.url}/run`, {}));
});
