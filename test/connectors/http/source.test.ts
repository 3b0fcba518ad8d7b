import assert from 'node:assert/strict';
import { test } from 'node:test';
import { integrationOf, post, problemOf, RawClient, request, startIntegration } from './support.ts';

/** Answers with what the flow saw of the request. */
const echo = `
- respond:
    body:
      params: "\${{ $params }}"
      query: "\${{ $query }}"
      source: "\${{ $source }}"
      body: "\${{ $ }}"
`;

const seen = (reply: { readonly text: string }): Readonly<Record<string, unknown>> => JSON.parse(reply.text);

test('a request reaches the flow with its parameters, query, headers and body, and gets the reply', async (t) => {
  const { url } = await startIntegration(
    t,
    integrationOf({
      main: {
        from: 'http: { method: PUT, path: "/orders/{id}" }',
        steps: `
- respond:
    status: 201
    headers: { location: "/orders/\${{ $params.id }}", x-tag: "\${{ $headers.\`x-tag\` }}" }
    body: { id: "\${{ $params.id }}", page: "\${{ $query.page }}", tags: "\${{ $query.tag }}", sku: "\${{ sku }}", method: "\${{ $source.method }}" }
`,
      },
    }),
  );
  const reply = await request(`${url}/orders/a%2Fb%20c?page=2&tag=x&tag=y`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'x-tag': 'seven' },
    body: '{"sku":"tea"}',
  });
  assert.equal(reply.status, 201);
  assert.deepEqual(reply.json, { id: 'a/b c', page: '2', tags: ['x', 'y'], sku: 'tea', method: 'PUT' });
  assert.equal(reply.headers['location'], '/orders/a/b c');
  assert.equal(reply.headers['x-tag'], 'seven');
  assert.equal(reply.headers['content-type'], 'application/json');
  assert.match(String(reply.headers['x-request-id']), /^[0-9a-f-]{36}$/);
});

test('literal segments win over parameters, parameters over the rest of the path', async (t) => {
  const flow = (path: string, name: string) => ({
    from: `http: { method: GET, path: "${path}" }`,
    steps: `- respond: { body: { by: ${name}, params: "\${{ $params }}" } }`,
  });
  const { url } = await startIntegration(
    t,
    integrationOf({
      rest: flow('/files/{rest+}', 'rest'),
      one: flow('/files/{name}', 'one'),
      literal: flow('/files/latest', 'literal'),
      deep: flow('/files/{name}/raw', 'deep'),
    }),
  );
  const by = async (path: string): Promise<unknown> => (await request(url + path)).json;
  assert.deepEqual(await by('/files/latest'), { by: 'literal', params: {} });
  assert.deepEqual(await by('/files/l%61test'), { by: 'literal', params: {} });
  assert.deepEqual(await by('/files/a'), { by: 'one', params: { name: 'a' } });
  assert.deepEqual(await by('/files/a/raw'), { by: 'deep', params: { name: 'a' } });
  assert.deepEqual(await by('/files/a/b/c'), { by: 'rest', params: { rest: 'a/b/c' } });
  assert.deepEqual(await by('/files/latest/x'), { by: 'rest', params: { rest: 'latest/x' } });
  assert.equal((await request(`${url}/files`)).status, 404);
  assert.equal((await request(`${url}/files/`)).status, 404);
});

test('a path that nobody serves is a 404, a method that nobody serves a 405 with Allow', async (t) => {
  const { url } = await startIntegration(
    t,
    integrationOf({
      read: { from: 'http: { method: GET, path: "/orders/{id}" }', steps: '- respond: { body: read }' },
      write: { from: 'http: { method: [PUT, DELETE], path: "/orders/{id}" }', steps: '- respond: { body: write }' },
    }),
  );
  const unknown = await request(`${url}/nothing?x=1`);
  assert.deepEqual(problemOf(unknown), {
    status: 404,
    code: 'not-found',
    outcome: 'none',
    detail: 'Nothing is served at /nothing',
  });
  const wrong = await post(`${url}/orders/7`, {});
  assert.equal(problemOf(wrong).code, 'method-not-allowed');
  assert.equal(wrong.status, 405);
  assert.equal(wrong.headers.allow, 'DELETE, GET, HEAD, OPTIONS, PUT');
  assert.equal((await request(`${url}/orders/7`, { method: 'DELETE' })).json, 'write');
});

test('HEAD is served by GET, with the headers and without the body', async (t) => {
  const { port, url } = await startIntegration(
    t,
    integrationOf({ main: { from: 'http: { method: GET, path: /a }', steps: '- respond: { body: { x: 1 } }' } }),
  );
  const get = await request(`${url}/a`);
  const client = await RawClient.connect(t, port);
  client.send('HEAD /a HTTP/1.1', 'host: a', '', '');
  const head = await client.reply({ head: true });
  assert.equal(head.status, 200);
  assert.equal(head.headers['content-length'], get.headers['content-length']);
  client.send('GET /a HTTP/1.1', 'host: a', '', '');
  assert.equal((await client.reply()).text, '{"x":1}');
});

test('OPTIONS tells the methods without running the flow', async (t) => {
  const { url, runtime, port } = await startIntegration(
    t,
    integrationOf({ main: { from: 'http: { method: [GET, PATCH], path: /a }', steps: '- fail: { detail: ran }' } }),
  );
  const reply = await request(`${url}/a`, { method: 'OPTIONS' });
  assert.equal(reply.status, 204);
  assert.equal(reply.headers.allow, 'GET, HEAD, OPTIONS, PATCH');
  assert.equal((await request(`${url}/b`, { method: 'OPTIONS' })).status, 404);
  const client = await RawClient.connect(t, port);
  client.send('OPTIONS * HTTP/1.1', 'host: a', '', '');
  assert.equal((await client.reply()).status, 204);
  assert.equal(runtime.inFlight, 0);
});

test('the body is read by its content type, and what is none of the known ones is a 415', async (t) => {
  const { url } = await startIntegration(t, integrationOf({ main: { from: 'http: { path: /a }', steps: echo } }));
  const body = async (type: string | undefined, text: string): Promise<unknown> =>
    seen(await request(`${url}/a`, { headers: type === undefined ? {} : { 'content-type': type }, body: text }))[
      'body'
    ];
  assert.deepEqual(await body('application/json', '{"a":1}'), { a: 1 });
  assert.deepEqual(await body(undefined, '{"a":1}'), { a: 1 });
  assert.deepEqual(await body('application/vnd.x+json', '[1]'), [1]);
  assert.deepEqual(await body('text/xml', '<a><b>1</b></a>'), { a: { b: '1' } });
  assert.deepEqual(await body('application/x-www-form-urlencoded', 'a=1&b=x+y'), { a: '1', b: 'x y' });
  assert.equal(await body('text/plain', 'hello'), 'hello');
  const bytes = await request(`${url}/a`, { headers: { 'content-type': 'image/png' }, body: 'x' });
  assert.deepEqual([bytes.status, problemOf(bytes).code], [415, 'unsupported-media-type']);
});

test('a flow without respond answers 200 with its body, or 204; filter and stop answer 204', async (t) => {
  const { url } = await startIntegration(
    t,
    integrationOf({
      same: { from: 'http: { path: /same }', steps: '- log: { message: here }' },
      quiet: { from: 'http: { path: /filter }', steps: '- filter: { when: a = 1 }' },
      stops: { from: 'http: { path: /stop }', steps: '- stop: {}' },
      typed: {
        from: 'http: { path: /typed }',
        steps: '- set: { headers: { content-type: application/xml } }\n- transform: $',
      },
    }),
  );
  const typed = await post(`${url}/typed`, { a: 1 });
  assert.deepEqual([typed.headers['content-type'], typed.text.includes('<a>1</a>')], ['application/xml', true]);
  const same = await post(`${url}/same`, { a: 1 });
  assert.deepEqual([same.status, same.text, same.headers['content-type']], [200, '{"a":1}', 'application/json']);
  assert.equal((await request(`${url}/same`, { method: 'POST' })).status, 204);
  assert.equal((await post(`${url}/filter`, { a: 2 })).status, 204);
  assert.equal((await post(`${url}/stop`, {})).status, 204);
});

test('headers of a client reach neither the answer nor the prototype of an object', async (t) => {
  const { port } = await startIntegration(
    t,
    integrationOf({
      main: {
        from: 'http: { method: GET, path: "/{name}" }',
        steps: `
- respond:
    headers: { x-proto: "\${{ $exists($headers.__proto__) }}", x-made: "\${{ $exists($headers.constructor) }}" }
    body: { query: "\${{ $query }}", name: "\${{ $params.name }}", shows: "\${{ $string($query.constructor) }}" }
`,
      },
    }),
  );
  const client = await RawClient.connect(t, port);
  client.send('GET /__proto__?__proto__=1&constructor=2 HTTP/1.1', 'host: a', '__proto__: x', 'x-evil: 1', '', '');
  const reply = await client.reply();
  assert.equal(reply.status, 200);
  assert.equal(reply.headers['x-evil'], undefined);
  assert.deepEqual([reply.headers['x-proto'], reply.headers['x-made']], ['false', 'false']);
  const body = seen(reply);
  assert.equal(body['name'], '__proto__');
  assert.equal(body['shows'], '2');
  assert.equal(Object.hasOwn({}, '1'), false);
  assert.equal(({} as Record<string, unknown>)['x'], undefined);
});

test('a dot segment in the path is refused; encoded inside a parameter it is a value', async (t) => {
  const { port } = await startIntegration(
    t,
    integrationOf({
      main: {
        from: 'http: { method: GET, path: "/files/{name}" }',
        steps: '- respond: { body: "${{ $params.name }}" }',
      },
      rest: {
        from: 'http: { method: GET, path: "/all/{rest+}" }',
        steps: '- respond: { body: "${{ $params.rest }}" }',
      },
    }),
  );
  const client = await RawClient.connect(t, port);
  const get = async (path: string): Promise<string> => {
    client.send(`GET ${path} HTTP/1.1`, 'host: a', '', '');
    const { status, text } = await client.reply();
    return status === 200 ? text : String(status);
  };
  assert.equal(await get('/files/%2e%2e%2fsecret'), '"../secret"');
  assert.equal(await get('/all/a/%2e%2e%2fb'), '"a/../b"');
  for (const path of ['/files/../x', '/files/%2e%2E/x', '/files/.', '/all/a/../b', '/all/a/..', '/../files/x']) {
    assert.equal(await get(path), '400', path);
  }
});

test('paths and queries that are not percent-encoded UTF-8 are refused', async (t) => {
  const { port } = await startIntegration(
    t,
    integrationOf({ main: { from: 'http: { method: GET, path: "/{rest+}" }', steps: '- respond: { body: ok }' } }),
  );
  for (const url of ['/%', '/%zz', '/%ff', '/%00', '/a\\b', '/a?x=%', '/a?x=%ff', '/\xe4', '/a?%00=1']) {
    const client = await RawClient.connect(t, port);
    client.send(`GET ${url} HTTP/1.1`, 'host: a', '', '');
    const reply = await client.reply();
    assert.deepEqual([reply.status, problemOf(reply).code], [400, 'bad-request'], url);
  }
  const client = await RawClient.connect(t, port);
  client.send('GET http://elsewhere/a?x=1 HTTP/1.1', 'host: a', '', '');
  assert.equal((await client.reply()).status, 200);
});

test('a reply with a header that cannot be sent is an error, not a split answer', async (t) => {
  const { url, log } = await startIntegration(
    t,
    integrationOf({
      main: {
        from: 'http: { path: /a }',
        steps: '- respond: { headers: { x-a: "${{ value }}", content-length: "1", connection: close }, body: whole }',
      },
    }),
  );
  const split = await post(`${url}/a`, { value: 'a\r\nset-cookie: evil=1' });
  assert.equal(split.headers['set-cookie'], undefined);
  assert.equal(problemOf(split).code, 'validation');
  const unsendable = await post(`${url}/a`, { value: '😀' });
  assert.deepEqual([unsendable.status, problemOf(unsendable).code], [500, 'bad-request']);
  const fine = await post(`${url}/a`, { value: 'grün' });
  assert.deepEqual([fine.status, fine.text], [200, '"whole"']);
  assert.equal(
    log.lines.some((line) => line.level === 'error'),
    false,
  );
});

test('what an expression says stays with those who wrote it: a caller whose message it fails on sees its own id', async (t) => {
  const { url } = await startIntegration(
    t,
    integrationOf({
      sum: { from: 'http: { path: /sum }', steps: '- transform: \'{ "hidden": amount + 1 }\'' },
      loop: {
        from: 'http: { path: /loop }',
        steps: '- transform: "( $hidden := function($x) { $hidden($x) + 1 }; $hidden(1) )"',
      },
      hole: { from: 'http: { path: /hole }', steps: '- respond: { body: "of ${{ hidden }}" }' },
    }),
  );
  for (const [path, code] of [
    ['sum', 'expression'],
    ['loop', 'expression-limit'],
    ['hole', 'no-value'],
  ]) {
    const reply = await post(`${url}/${path}`, { amount: 'x' });
    assert.deepEqual([reply.status, problemOf(reply).code], [500, code]);
    assert.doesNotMatch(reply.text, /hidden/);
    assert.match(String(problemOf(reply).detail), /the log says/);
  }
});
