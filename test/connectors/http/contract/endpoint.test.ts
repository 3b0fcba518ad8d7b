import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import { service } from '../../../support/http-service.ts';
import { type Running, startIntegration } from '../support.ts';

const inventory = `
openapi: 3.0.3
info: { title: Inventory, version: '1' }
servers: [ { url: 'https://elsewhere.example/v9' } ]
paths:
  /stock/{sku}:
    get:
      operationId: getStock
      parameters:
        - { name: sku, in: path, required: true, schema: { type: string, minLength: 2 } }
        - { name: site, in: query, schema: { type: array, items: { type: integer } } }
        - { name: X-Tenant, in: header, required: true, schema: { type: string } }
        - { name: session, in: cookie, schema: { type: string } }
      responses:
        '200':
          description: How many.
          content: { application/json: { schema: { $ref: '#/components/schemas/Stock' } } }
  /reservations:
    post:
      operationId: reserve
      requestBody:
        content:
          application/x-www-form-urlencoded: { schema: { type: object, required: [sku], properties: { sku: { type: string, minLength: 2 }, count: { type: integer } } } }
      responses: { '204': { description: Done. } }
  /ping:
    post: { operationId: ping, responses: { '200': { description: Here., content: { text/plain: { schema: { type: string, enum: [pong] } } } } } }
components:
  schemas:
    Stock:
      type: object
      required: [available]
      properties:
        available: { type: integer, minimum: 0, exclusiveMinimum: true, nullable: true }
`;

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Answered {
  readonly status?: number;
  readonly type?: string;
  readonly body?: string;
}

/** Calls one operation of a service that notes what it gets. */
async function calling(
  t: TestContext,
  call: string,
  answer: Answered = { body: '{"available":3}' },
  contract = '',
): Promise<Running & { readonly seen: readonly Seen[]; readonly send: (body: unknown) => Promise<Response> }> {
  const seen: Seen[] = [];
  const at = await service(t, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method, url, headers } = request;
    seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    const { status = 200, type = 'application/json', body } = answer;
    response.writeHead(status, body === undefined ? {} : { 'content-type': type }).end(body);
  });
  const yaml = `
dowel: 1
name: caller
server: { port: 0, host: 127.0.0.1 }
endpoints:
  inventory: { http: { url: "${at}/v2", headers: { x-tenant: acme }, contract: { openapi: ./inventory.yaml${contract} } } }
flows:
  ask:
    from: { http: { path: /ask } }
    steps: [ { call: { endpoint: inventory, ${call} } } ]
`;
  const running = await startIntegration(t, yaml, { files: { 'inventory.yaml': inventory } });
  const send = (body: unknown): Promise<Response> =>
    fetch(`${running.url}/ask`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
  return { ...running, seen, send };
}

const getStock =
  'http: { operation: getStock, params: { sku: "${{ sku }}", site: "${{ sites }}", session: "${{ session }}" } }';

const codeOf = async (response: Response): Promise<string> => ((await response.json()) as { code: string }).code;

describe('a call of an operation', () => {
  test('becomes the request that the document describes, below the url of the endpoint', async (t) => {
    const { send, seen } = await calling(t, getStock);
    const response = await send({ sku: 'a/b c', sites: [1, 2], session: 's1' });
    assert.deepEqual(await response.json(), { available: 3 });
    const [{ method, url, headers, body } = {} as Seen] = seen;
    assert.deepEqual([method, url, body], ['GET', '/v2/stock/a%2Fb%20c?site=1&site=2', '']);
    assert.deepEqual([headers['x-tenant'], headers.cookie], ['acme', 'session=s1']);
  });

  test('parameters that yield nothing are left out; one that is required is an error, and nothing is sent', async (t) => {
    const { send, seen, log } = await calling(t, getStock);
    assert.equal((await send({ sku: 'tea' })).status, 200);
    assert.deepEqual([seen[0]?.url, seen[0]?.headers.cookie], ['/v2/stock/tea', undefined]);
    const refused = await send({ sites: [1] });
    assert.deepEqual([refused.status, await codeOf(refused)], [500, 'contract-request']);
    const wrong = await send({ sku: 't', sites: ['one'] });
    assert.equal(await codeOf(wrong), 'contract-request');
    assert.equal(seen.length, 1);
    assert.equal(log.lines.filter((line) => line.level === 'error' && /bug/.test(line.message)).length, 0);
  });

  test('what comes from a message stays within its segment of the path', async (t) => {
    const { send, seen } = await calling(t, getStock);
    const refused = await send({ sku: '..' });
    assert.equal(refused.status, 400);
    assert.deepEqual(seen, []);
  });

  test('a body is written as the operation takes it, and checked before it is sent', async (t) => {
    const { send, seen } = await calling(
      t,
      'http: { operation: reserve }, body: { sku: "${{ sku }}", count: "${{ count }}" }',
      { status: 204 },
    );
    assert.equal((await send({ sku: 'tea', count: 2 })).status, 204);
    assert.deepEqual(
      [seen[0]?.body, seen[0]?.headers['content-type']],
      ['sku=tea&count=2', 'application/x-www-form-urlencoded'],
    );
    const refused = await send({ sku: 't', count: 2.5 });
    assert.equal(await codeOf(refused), 'contract-request');
    assert.equal(seen.length, 1);
  });

  test('an operation without a body gets none, whatever the message has', async (t) => {
    const { send, seen } = await calling(t, 'http: { operation: ping }', { type: 'text/plain', body: 'pong' });
    const response = await send({ sku: 'tea' });
    assert.equal(await response.text(), 'pong');
    assert.equal(seen[0]?.body, '');
  });

  for (const [what, answer, finding] of [
    ['a body that breaks its schema', { body: '{"available":0}' }, '/available: must be > 0'],
    [
      'another status',
      { status: 206, body: '{"available":1}' },
      'status: 206 is not among those of the operation (200)',
    ],
    [
      'another content type',
      { body: '3', type: 'text/plain' },
      'the body: has the content type text/plain, and must have application/json',
    ],
    ['no body at all', {}, 'the body: is missing'],
  ] as const) {
    test(`an answer with ${what} is the error contract-answer`, async (t) => {
      const { send } = await calling(t, getStock, answer);
      const refused = await send({ sku: 'tea' });
      const problem = (await refused.json()) as { readonly code: string; readonly outcome: string };
      assert.deepEqual([refused.status, problem.code, problem.outcome], [502, 'contract-answer', 'none']);
      const { send: again, log } = await calling(t, getStock, answer, ', answers: warn');
      assert.ok((await again({ sku: 'tea' })).ok);
      const [line] = log.lines.filter((one) => one.level === 'warn');
      assert.deepEqual([line?.message, line?.fields['broken']], ['an answer breaks the contract', [finding]]);
      assert.equal(line?.fields['traceId'], String(line?.fields['exchange']).replaceAll('-', ''));
    });
  }

  test('`nullable` of OpenAPI 3.0 is understood', async (t) => {
    const { send } = await calling(t, getStock, { body: '{"available":null}' });
    assert.deepEqual(await (await send({ sku: 'tea' })).json(), { available: null });
  });

  test('a call that changed something has an unknown outcome when its answer breaks the contract', async (t) => {
    const { send } = await calling(t, 'http: { operation: ping }', { type: 'text/plain', body: 'peng' });
    const refused = await send({});
    const problem = (await refused.json()) as { readonly code: string; readonly outcome: string };
    assert.deepEqual([problem.code, problem.outcome], ['contract-answer', 'unknown']);
  });

  test('statuses that are errors are errors as ever', async (t) => {
    const { send } = await calling(t, getStock, { status: 503, body: '{}' });
    assert.equal(await codeOf(await send({ sku: 'tea' })), 'http-503');
  });

  test('`expect` and `retry` go by the method of the document', async (t) => {
    let calls = 0;
    const at = await service(t, (_, response) => {
      calls += 1;
      response.writeHead(calls < 3 ? 503 : 200, { 'content-type': 'application/json' }).end('{"available":1}');
    });
    const yaml = `
dowel: 1
name: caller
server: { port: 0, host: 127.0.0.1 }
endpoints:
  inventory:
    http: { url: "${at}", headers: { x-tenant: acme }, contract: { openapi: ./inventory.yaml } }
    retry: { maxAttempts: 3, delay: 1ms }
flows:
  ask:
    from: { http: { path: /ask } }
    steps: [ { call: { endpoint: inventory, http: { operation: getStock, params: { sku: tea } } } } ]
`;
    const { url } = await startIntegration(t, yaml, { files: { 'inventory.yaml': inventory } });
    assert.equal((await fetch(`${url}/ask`, { method: 'POST' })).status, 200);
    assert.equal(calls, 3);
  });
});

describe('policies of an endpoint with a contract', () => {
  const yaml = (at: string, steps: string): string => `
dowel: 1
name: caller
server: { port: 0, host: 127.0.0.1 }
endpoints:
  inventory:
    http: { url: "${at}", headers: { x-tenant: acme }, contract: { openapi: ./inventory.yaml } }
    cache: { ttl: 1m }
  other: { http: { url: "${at}" } }
flows:
  ask:
    from: { http: { path: "/ask/{sku}" } }
    steps: [ ${steps} ]
`;

  test('the cache knows a call by its request: by operation or by path, it is the same', async (t) => {
    const urls: (string | undefined)[] = [];
    const at = await service(t, (request, response) => {
      urls.push(request.url);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"available":1}');
    });
    const steps = `{ call: { endpoint: inventory, http: { operation: getStock, params: { sku: "\${{ $params.sku }}" } }, as: a } },
      { call: { endpoint: inventory, http: { method: POST, path: "/stock/\${{ $query.changed }}" }, as: b } },
      { respond: { body: "\${{ $a }}" } }`;
    const { url } = await startIntegration(t, yaml(at, steps), { files: { 'inventory.yaml': inventory } });
    const ask = async (path: string): Promise<void> => {
      assert.equal((await fetch(`${url}${path}`, { method: 'POST' })).status, 200);
    };
    await ask('/ask/tea?changed=mug');
    await ask('/ask/tea?changed=mug');
    assert.deepEqual(urls, ['/stock/tea', '/stock/mug', '/stock/mug']);
    await ask('/ask/tea?changed=tea');
    await ask('/ask/tea?changed=mug');
    assert.deepEqual(urls.slice(3), ['/stock/tea', '/stock/tea', '/stock/mug']);
  });

  test('one of several recipients that has no contract is sent no operation', async (t) => {
    const urls: (string | undefined)[] = [];
    const at = await service(t, (request, response) => {
      urls.push(request.url);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"available":1}');
    });
    const steps = `{ recipientList: { endpoints: '["inventory", "other"]', http: { operation: getStock, params: { sku: tea } }, require: all, as: all } }`;
    const { url } = await startIntegration(t, yaml(at, steps), { files: { 'inventory.yaml': inventory } });
    const refused = await fetch(`${url}/ask/tea`, { method: 'POST' });
    assert.match(await refused.text(), /names an operation, and its endpoint has no contract/);
    assert.ok(!urls.includes('/'), String(urls));
  });
});
