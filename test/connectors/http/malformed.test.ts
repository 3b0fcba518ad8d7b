import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Patience, usualPatience } from '../../../connectors/http/patience.ts';
import { HttpServer } from '../../../connectors/http/server.ts';
import { openSource } from '../../../connectors/http/source.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { plainContext, sharing } from '../../support/plain-context.ts';
import { integrationOf, post, problemOf, RawClient, type Running, request, startIntegration } from './support.ts';

const whole = integrationOf({
  main: { from: 'http: { method: [GET, POST], path: /a, maxBody: 1kb }', steps: '- respond: { body: "${{ $ }}" }' },
});

/** After whatever was sent: it still serves, and nothing of what was sent is left. */
async function stillServes({ url, runtime }: Running): Promise<void> {
  const reply = await post(`${url}/a`, { fine: true });
  assert.deepEqual([reply.status, reply.text], [200, '{"fine":true}']);
  await eventually('nothing is under way', () => runtime.inFlight === 0);
}

/** A request as it goes over the wire. */
const wire = (line: string, fields: readonly string[] = [], body = ''): string =>
  [line, 'host: a', ...fields, '', body].join('\r\n');

const refused: readonly {
  readonly what: string;
  readonly sent: string;
  readonly status: number;
  readonly detail: RegExp;
}[] = [
  { what: 'a request line that is none', sent: 'HELLO\r\n\r\n', status: 400, detail: /not HTTP/ },
  {
    what: 'another protocol',
    sent: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
    status: 400,
    detail: /not HTTP/,
  },
  {
    what: 'a method that nobody knows',
    sent: wire('BREW /a HTTP/1.1', []),
    status: 400,
    detail: /not HTTP/,
  },
  { what: 'a URL with a space', sent: wire('GET /a b HTTP/1.1', []), status: 400, detail: /not HTTP/ },
  {
    what: 'a header without a colon',
    sent: wire('GET /a HTTP/1.1', ['nonsense']),
    status: 400,
    detail: /not HTTP/,
  },
  {
    what: 'a space before the colon',
    sent: wire('GET /a HTTP/1.1', ['x-a : 1']),
    status: 400,
    detail: /not HTTP/,
  },
  {
    what: 'a NUL in a header',
    sent: wire('GET /a HTTP/1.1', ['x-a: \0']),
    status: 400,
    detail: /not HTTP/,
  },
  { what: 'no Host header', sent: 'GET /a HTTP/1.1\r\n\r\n', status: 400, detail: /Host header is missing/ },
  {
    what: 'two Host headers',
    sent: wire('GET /a HTTP/1.1', ['Host: b']),
    status: 400,
    detail: /more than one Host/,
  },
  {
    what: 'two lengths that differ',
    sent: wire('POST /a HTTP/1.1', ['content-length: 2', 'content-length: 3'], '{}'),
    status: 400,
    detail: /length is not clear/,
  },
  {
    what: 'a length that is no number',
    sent: wire('POST /a HTTP/1.1', ['content-length: -1']),
    status: 400,
    detail: /length is not clear/,
  },
  {
    what: 'a length and chunks',
    sent: wire('POST /a HTTP/1.1', ['content-length: 2', 'transfer-encoding: chunked'], '0\r\n\r\n'),
    status: 400,
    detail: /not HTTP|length is not clear/,
  },
  {
    what: 'a chunk size that is no number',
    sent: wire('POST /a HTTP/1.1', ['transfer-encoding: chunked'], 'zz\r\n'),
    status: 400,
    detail: /not HTTP/,
  },
  {
    what: 'a transfer coding nobody knows',
    sent: wire('POST /a HTTP/1.1', ['transfer-encoding: rot13'], '{}'),
    status: 400,
    detail: /not HTTP/,
  },
  {
    what: 'headers of more than 16 KiB',
    sent: wire('GET /a HTTP/1.1', [`x-a: ${'y'.repeat(20_000)}`]),
    status: 431,
    detail: /larger than 16 KiB/,
  },
  {
    what: 'ten thousand headers',
    sent: wire(
      'GET /a HTTP/1.1',
      Array.from({ length: 10_000 }, (_, i) => `x-${i}: 1`),
    ),
    status: 431,
    detail: /larger than 16 KiB/,
  },
  {
    what: 'an expectation nobody can meet',
    sent: wire('POST /a HTTP/1.1', ['expect: miracles', 'content-length: 2'], '{}'),
    status: 417,
    detail: /100-continue/,
  },
  {
    what: 'a body announced as larger than allowed',
    sent: wire('POST /a HTTP/1.1', ['content-length: 1025']),
    status: 413,
    detail: /1024 bytes/,
  },
  {
    what: 'chunks that add up to more than allowed',
    sent: wire('POST /a HTTP/1.1', ['transfer-encoding: chunked'], `600\r\n${'x'.repeat(0x600)}\r\n0\r\n\r\n`),
    status: 413,
    detail: /1024 bytes/,
  },
];

for (const { what, sent, status, detail } of refused) {
  test(`${what}: ${status}, and the server goes on`, async (t) => {
    const running = await startIntegration(t, whole);
    const client = await RawClient.connect(t, running.port);
    client.send(sent);
    const problem = problemOf(await client.reply());
    assert.deepEqual([problem.status, problem.outcome], [status, 'none']);
    assert.match(problem.detail, detail);
    await stillServes(running);
  });
}

const bodies: readonly {
  readonly what: string;
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly status: number;
  readonly code: string;
}[] = [
  { what: 'JSON that breaks off', type: 'application/json', body: '{"a":', status: 400, code: 'malformed' },
  { what: 'JSON with something behind it', type: 'application/json', body: '{} x', status: 400, code: 'malformed' },
  {
    what: 'JSON that is not UTF-8',
    type: 'application/json',
    body: Buffer.from([0x22, 0xff, 0x22]),
    status: 400,
    code: 'malformed',
  },
  { what: 'a __proto__ key', type: 'application/json', body: '{"__proto__":{"x":1}}', status: 400, code: 'malformed' },
  {
    what: 'JSON of 10,000 levels',
    type: 'application/json',
    body: '['.repeat(10_000) + ']'.repeat(10_000),
    status: 400,
    code: 'malformed',
  },
  {
    what: 'XML of 10,000 levels',
    type: 'text/xml',
    body: '<a>'.repeat(10_000) + '</a>'.repeat(10_000),
    status: 400,
    code: 'malformed',
  },
  { what: 'XML with two roots', type: 'application/xml', body: '<a/><b/>', status: 400, code: 'malformed' },
  { what: 'XML with a DOCTYPE', type: 'application/xml', body: '<!DOCTYPE a><a/>', status: 400, code: 'malformed' },
  {
    what: 'bytes where a value is needed',
    type: 'application/octet-stream',
    body: 'x',
    status: 415,
    code: 'unsupported-media-type',
  },
  {
    what: 'an unknown charset',
    type: 'text/plain; charset=klingon',
    body: 'x',
    status: 415,
    code: 'unsupported-media-type',
  },
];

for (const { what, type, body, status, code } of bodies) {
  test(`${what}: ${status} ${code}, and the server goes on`, async (t) => {
    const running = await startIntegration(
      t,
      integrationOf({ main: { from: 'http: { path: /a }', steps: '- transform: $' } }),
    );
    const reply = await request(`${running.url}/a`, { headers: { 'content-type': type }, body });
    const problem = problemOf(reply);
    assert.deepEqual([problem.status, problem.code, problem.outcome], [status, code, 'none']);
    assert.doesNotMatch(reply.text, /\.ts|node:|at /);
    await stillServes(running);
  });
}

test('a client that goes away in the middle of its upload leaves nothing behind', async (t) => {
  const running = await startIntegration(t, whole);
  for (const length of ['content-length: 1000', 'transfer-encoding: chunked']) {
    const client = await RawClient.connect(t, running.port);
    client.send(wire('POST /a HTTP/1.1', [length], '10\r\nabc'));
    client.socket.destroy();
  }
  const reset = await RawClient.connect(t, running.port);
  reset.send(wire('POST /a HTTP/1.1', ['content-length: 1000'], 'abc'));
  reset.socket.resetAndDestroy();
  await stillServes(running);
});

test('an upload that becomes unreadable ends its message, though nobody reads it', async (t) => {
  const running = await startIntegration(
    t,
    integrationOf({
      main: { from: 'http: { path: /a }', steps: '- delay: { for: 10m }' },
      fine: { from: 'http: { path: /fine }', steps: '- stop: {}' },
    }),
  );
  const client = await RawClient.connect(t, running.port);
  client.send(wire('POST /a HTTP/1.1', ['transfer-encoding: chunked'], '3\r\nabc\r\n'));
  await eventually('it is under way', () => running.runtime.inFlight === 1);
  client.send('zz\r\n');
  const problem = problemOf(await client.reply());
  assert.deepEqual([problem.status, problem.code], [400, 'bad-request']);
  await client.closed;
  await eventually('nothing is under way', () => running.runtime.inFlight === 0);
  assert.equal((await post(`${running.url}/fine`, {})).status, 204);
});

test('a half-sent request behind a good one does not harm the good one', async (t) => {
  const running = await startIntegration(t, whole);
  const client = await RawClient.connect(t, running.port);
  client.send(wire('POST /a HTTP/1.1', ['content-length: 2'], '{}GARBAGE\r\n\r\n'));
  assert.equal((await client.reply()).text, '{}');
  assert.equal((await client.reply()).status, 400);
  await client.closed;
  await stillServes(running);
});

test('pipelined requests are answered in order', async (t) => {
  const running = await startIntegration(t, whole);
  const client = await RawClient.connect(t, running.port);
  const one = (text: string): string => wire('POST /a HTTP/1.1', [`content-length: ${text.length}`], text);
  client.send(one('1') + one('[2]') + one('{"three":3}'));
  assert.deepEqual(
    [(await client.reply()).text, (await client.reply()).text, (await client.reply()).text],
    ['1', '[2]', '{"three":3}'],
  );
});

test('HTTP/1.0 without a Host header is served, and its connection closed', async (t) => {
  const running = await startIntegration(t, whole);
  const client = await RawClient.connect(t, running.port);
  client.send('POST /a HTTP/1.0', 'content-length: 2', '', '[]');
  assert.equal((await client.reply()).text, '[]');
  await client.closed;
});

test('Expect: 100-continue is answered before the body is sent, and not at all for a body that is too large', async (t) => {
  const running = await startIntegration(t, whole);
  const client = await RawClient.connect(t, running.port);
  client.send(wire('POST /a HTTP/1.1', ['expect: 100-continue', 'content-length: 2']));
  assert.equal((await client.reply()).status, 100);
  client.send('{}');
  assert.equal((await client.reply()).text, '{}');
  client.send(wire('POST /a HTTP/1.1', ['expect: 100-continue', 'content-length: 2000']));
  const refusal = await client.reply();
  assert.deepEqual([refusal.status, refusal.headers['connection']], [413, 'close']);
});

test('a client that was refused while it still writes gets its answer', async (t) => {
  const running = await startIntegration(t, whole);
  const client = await RawClient.connect(t, running.port);
  client.send(wire('POST /a HTTP/1.1', ['content-length: 4000000']));
  client.socket.write(Buffer.alloc(2_000_000));
  const refusal = await client.reply();
  assert.deepEqual([refusal.status, refusal.headers['connection']], [413, 'close']);
  client.socket.write(Buffer.alloc(2_000_000));
  await client.closed;
  await stillServes(running);
});

/** A source on a server that is in a hurry: node itself measures these times. */
async function hurried(t: TestContext, patience: Partial<Patience>): Promise<HttpServer> {
  const { share } = sharing();
  const context = plainContext({ clock: systemClock, share, deliver: async () => undefined });
  const { host, port } = context.server;
  const server = share(
    `http:${host}:${port}`,
    () =>
      new HttpServer({
        host,
        port,
        services: context.services,
        log: context.log,
        patience: { ...usualPatience, ...patience },
      }),
  );
  const source = await openSource({ path: '/a', method: 'POST', maxBody: 1000 }, context);
  t.after(async () => {
    await source.close();
    await server.release();
  });
  return server.value;
}

test('headers that do not arrive in time are a 408', async (t) => {
  const server = await hurried(t, { headers: 50, request: 50, check: 10 });
  const client = await RawClient.connect(t, server.address?.port ?? 0);
  client.send('POST /a HTTP/1.1', 'host: a', 'x-slow: ');
  assert.equal(problemOf(await client.reply()).status, 408);
  await client.closed;
  await eventually('the connection is gone', () => server.connections === 0);
});

test('a body that does not arrive in time is a 408', async (t) => {
  const server = await hurried(t, { headers: 50, request: 50, check: 10 });
  const client = await RawClient.connect(t, server.address?.port ?? 0);
  client.send(wire('POST /a HTTP/1.1', ['content-length: 10'], 'x'));
  assert.equal(problemOf(await client.reply()).status, 408);
  await client.closed;
  await eventually('the connection is gone', () => server.connections === 0);
});

test('a connection that is not used is closed', async (t) => {
  const server = await hurried(t, { keepAlive: 1 });
  const client = await RawClient.connect(t, server.address?.port ?? 0);
  client.send(wire('POST /a HTTP/1.1', []));
  assert.equal((await client.reply()).status, 204);
  await client.closed;
});
