import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { Metrics } from '../../../../src/operations/metrics.ts';
import { service } from '../../../support/http-service.ts';
import { type Running, startIntegration } from '../support.ts';
import { shopApi } from './shop.ts';

interface Problem {
  readonly code?: string;
  readonly detail?: string;
  readonly findings?: readonly string[];
}

/** A flow that serves one operation of the shop, and answers as `steps` say. */
const serving = (operation: string, steps: string, more = ''): string => `
dowel: 1
name: shop
server: { port: 0, host: 127.0.0.1 }
flows:
  shop:
    from: { http: { contract: { openapi: ./api.yaml, operation: ${operation}${more} } } }
    steps: [ ${steps} ]
`;

const start = (t: TestContext, yaml: string): Promise<Running> =>
  startIntegration(t, yaml, { files: { 'api.yaml': shopApi } });

const placed = 'respond: { status: 201, headers: { location: /orders/7 }, body: { id: 7 } }';

const post = (url: string, body: string, type: string | undefined = 'application/json'): Promise<Response> =>
  fetch(url, { method: 'POST', body, ...(type === undefined ? {} : { headers: { 'content-type': type } }) });

async function problemOf(response: Response): Promise<Problem & { readonly status: number }> {
  return { ...((await response.json()) as Problem), status: response.status };
}

describe('a source with a contract', () => {
  test('has path and method from the document, and lets through what keeps it', async (t) => {
    const { url } = await start(t, serving('placeOrder', `{ ${placed} }`));
    const response = await post(`${url}/orders`, '{"sku":"tea","quantity":2}');
    assert.equal(response.status, 201);
    assert.deepEqual(await response.json(), { id: 7 });
    assert.equal((await fetch(`${url}/orders`)).status, 405);
  });

  test('a body that breaks it: 400 with every finding, and the flow never begins', async (t) => {
    const { url, log } = await start(t, serving('placeOrder', `{ log: { message: begun } }, { ${placed} }`));
    const found = await problemOf(await post(`${url}/orders`, '{"sku":"","quantity":0,"gift":"yes"}'));
    assert.equal(found.status, 400);
    assert.equal(found.code, 'validation');
    assert.deepEqual(found.findings, [
      '/sku: must NOT have fewer than 1 characters',
      '/quantity: must be > 0',
      '/gift: must be true or false',
    ]);
    assert.deepEqual(
      log.lines.filter((line) => line.message === 'begun'),
      [],
    );
  });

  test('no body where one is required, and one that cannot be read: 400', async (t) => {
    const { url } = await start(t, serving('placeOrder', `{ ${placed} }`));
    const none = await problemOf(await fetch(`${url}/orders`, { method: 'POST' }));
    assert.deepEqual([none.status, none.findings], [400, ['the body: is required, and there is none']]);
    const broken = await problemOf(await post(`${url}/orders`, '{'));
    assert.deepEqual([broken.status, broken.code], [400, 'malformed']);
  });

  test('another content type: 415, with those that are taken', async (t) => {
    const { url } = await start(t, serving('placeOrder', `{ ${placed} }`));
    const response = await post(`${url}/orders`, '<order/>', 'application/xml');
    assert.equal(response.headers.get('accept'), 'application/json, application/x-www-form-urlencoded');
    const found = await problemOf(response);
    assert.equal(found.status, 415);
    assert.match(found.detail ?? '', /application\/xml is not taken here; taken is application\/json/);
  });

  test('fields of a form have the types that the schema asks for', async (t) => {
    const { url } = await start(t, serving('placeOrder', `{ ${placed} }`));
    const form = 'application/x-www-form-urlencoded';
    assert.equal((await post(`${url}/orders`, 'sku=tea&quantity=2&gift=true', form)).status, 201);
    const found = await problemOf(await post(`${url}/orders`, 'sku=tea&quantity=two', form));
    assert.deepEqual(found.findings, ['/quantity: must be an integer']);
  });

  test('parameters in query and header are checked as their styles say; the flow sees them as they came', async (t) => {
    const { url } = await start(t, serving('listOrders', '{ respond: { body: [ "${{ $query }}" ] } }'));
    const headers = { 'x-tenant': 'acme' };
    const query = 'limit=10&tag=ab&tag=cd&sort=date,price&filter[min]=1.5&other=1';
    const response = await fetch(`${url}/orders?${query}`, { headers });
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), [
      { limit: '10', tag: ['ab', 'cd'], sort: 'date,price', 'filter[min]': '1.5', other: '1' },
    ]);
    const wrong = 'limit=1000&limit=5&tag=a&sort=date,size&filter[min]=low';
    const found = await problemOf(await fetch(`${url}/orders?${wrong}`));
    assert.deepEqual(found.findings, [
      'query parameter `limit`: must be given once',
      'query parameter `tag`/0: must NOT have fewer than 2 characters',
      'query parameter `sort`/1: must be one of "date", "price"',
      'query parameter `filter`/min: must be a number',
      'header parameter `X-Tenant`: is required',
    ]);
  });

  test('a parameter of the path may have a name that is no variable', async (t) => {
    const steps = `{ respond: { body: { id: "\${{ $number($params.'order-id') }}" } } }`;
    const { url } = await start(t, serving('getOrder', steps));
    assert.deepEqual(await (await fetch(`${url}/orders/12`)).json(), { id: 12 });
    const found = await problemOf(await fetch(`${url}/orders/twelve`));
    assert.deepEqual(found.findings, ['path parameter `order-id`: must be an integer']);
  });

  test('`basePath` stands before the path of the document', async (t) => {
    const { url } = await start(t, serving('placeOrder', `{ ${placed} }`, ', basePath: /v2'));
    assert.equal((await post(`${url}/v2/orders`, '{"sku":"tea","quantity":2}')).status, 201);
    assert.equal((await post(`${url}/orders`, '{"sku":"tea","quantity":2}')).status, 404);
  });

  test('what breaks it is counted, on either side', async (t) => {
    const meter = new Metrics();
    const yaml = serving('placeOrder', '{ respond: { status: 299 } }');
    const { url, log } = await startIntegration(t, yaml, { files: { 'api.yaml': shopApi }, meter });
    await post(`${url}/orders`, '{"sku":"tea","quantity":0}');
    await post(`${url}/orders`, '<a/>', 'application/xml');
    await post(`${url}/orders`, '{"sku":"tea","quantity":1}');
    const text = meter.text();
    assert.match(text, /^dowel_contract_requests_refused_total\{flow="shop"\} 2$/m);
    assert.match(text, /^dowel_contract_replies_broken_total\{flow="shop"\} 1$/m);
    const told = log.lines.filter((line) => line.message === 'a request breaks the contract');
    assert.deepEqual(
      told.map(({ level, fields }) => [level, fields['code']]),
      [
        ['debug', 'validation'],
        ['debug', 'unsupported-media-type'],
      ],
    );
  });

  test('a key by which the caller is known may be among the parameters: it is checked at the door alone', async (t) => {
    const auth = ', auth: { apiKey: { header: X-Tenant, keys: [ { id: a, key: "${KEY}" } ] } }';
    const yaml = serving('listOrders', '{ respond: { body: [ "${{ $headers }}" ] } }')
      .replace('operation: listOrders }', `operation: listOrders, answers: refuse }${auth}`)
      .replace('name: shop', 'name: shop\nconfig: { KEY: { secret: true } }');
    const options = { files: { 'api.yaml': shopApi }, env: { KEY: 'Canary Key 1' } };
    const { url } = await startIntegration(t, yaml, options);
    const response = await fetch(`${url}/orders`, { headers: { 'x-tenant': 'Canary Key 1' } });
    assert.equal(response.status, 200);
    assert.doesNotMatch(await response.text(), /Canary/);
    assert.equal((await fetch(`${url}/orders?limit=0`)).status, 401);
  });

  test('HEAD is served by the operation of GET, and its answer needs no body', async (t) => {
    const { url, log } = await start(t, serving('getOrder', '{ respond: { body: { id: 1 } } }', ', answers: refuse'));
    assert.equal((await fetch(`${url}/orders/1`, { method: 'HEAD' })).status, 200);
    assert.equal((await fetch(`${url}/orders/x`, { method: 'HEAD' })).status, 400);
    assert.deepEqual(
      log.lines.filter((one) => one.level === 'error'),
      [],
    );
  });

  test('what a flow relays is checked as well', async (t) => {
    const at = await service(t, (_, response) => {
      response.writeHead(201, { 'content-type': 'application/json', location: '/1' }).end('{"id":"one"}');
    });
    const yaml = serving(
      'placeOrder',
      '{ call: { endpoint: far } }, { respond: { status: 201, headers: { location: a } } }',
      ', answers: refuse',
    ).replace('flows:', `endpoints: { far: { http: { url: "${at}" } } }\nflows:`);
    const { url, log } = await start(t, yaml);
    assert.equal((await post(`${url}/orders`, '{"sku":"tea","quantity":2}')).status, 500);
    const [line] = log.lines.filter((one) => one.level === 'error');
    assert.deepEqual(line?.fields['broken'], ['/id: must be an integer']);
  });

  test('an answer that breaks it passes, and is logged and counted', async (t) => {
    const { url, log } = await start(
      t,
      serving('placeOrder', '{ respond: { status: 201, body: { id: seven, secret: 1 } } }'),
    );
    const response = await post(`${url}/orders`, '{"sku":"tea","quantity":2}');
    assert.equal(response.status, 201);
    const [line] = log.lines.filter((one) => one.level === 'warn');
    assert.equal(line?.message, 'an answer breaks the contract');
    assert.equal(line?.fields['traceId'], String(line?.fields['exchange']).replaceAll('-', ''));
    assert.deepEqual(line?.fields['broken'], [
      'header `Location`: is required',
      'the body: must not have `secret`',
      '/id: must be an integer',
    ]);
  });

  test('with `answers: refuse` it is answered 500, without what is wrong', async (t) => {
    const yaml = serving('placeOrder', '{ respond: { status: 200, body: { id: 7 } } }', ', answers: refuse');
    const { url, log } = await start(t, yaml);
    const found = await problemOf(await post(`${url}/orders`, '{"sku":"tea","quantity":2}'));
    assert.deepEqual(
      [found.status, found.code, found.detail],
      [500, 'contract-reply', 'The answer breaks its own contract'],
    );
    assert.equal(found.findings, undefined);
    const [line] = log.lines.filter((one) => one.level === 'error');
    assert.deepEqual(line?.fields['broken'], ['status: 200 is not among those of the operation (201, 4XX)']);
  });

  test('with `answers: off` nobody looks', async (t) => {
    const { url, log } = await start(
      t,
      serving('placeOrder', '{ respond: { status: 299, body: text } }', ', answers: off'),
    );
    assert.equal((await post(`${url}/orders`, '{"sku":"tea","quantity":2}')).status, 299);
    assert.deepEqual(
      log.lines.filter((one) => one.level === 'warn'),
      [],
    );
  });

  test('errors that nobody catches are problems of Dowel, and no answers of the flow', async (t) => {
    const { url, log } = await start(
      t,
      serving('placeOrder', '{ fail: { code: sold-out, status: 409 } }', ', answers: refuse'),
    );
    assert.equal((await post(`${url}/orders`, '{"sku":"tea","quantity":2}')).status, 409);
    assert.deepEqual(
      log.lines.filter((one) => one.message.includes('contract')),
      [],
    );
  });

  test('what has no schema still streams: the limit alone counts', async (t) => {
    const { url } = await start(
      t,
      serving('putFile', '{ respond: { status: 200 } }').replace(
        'operation: putFile }',
        'operation: putFile }, maxBody: 10mb',
      ),
    );
    const body = Buffer.alloc(3 * 1024 * 1024, 1);
    const response = await fetch(`${url}/files`, {
      method: 'PUT',
      body,
      headers: { 'content-type': 'application/octet-stream' },
    });
    assert.equal(response.status, 200);
    assert.equal((await response.arrayBuffer()).byteLength, body.length);
    const text = await fetch(`${url}/files`, { method: 'PUT', body: 'x', headers: { 'content-type': 'text/plain' } });
    assert.equal(text.status, 415);
  });

  test('with `reply: accepted` nothing is kept that breaks it', async (t) => {
    const yaml = serving('placeOrder', '{ log: { message: got } }').replace(
      'placeOrder } }',
      'placeOrder }, reply: accepted }',
    );
    const { url } = await start(t, yaml);
    assert.equal((await post(`${url}/orders`, '{"sku":"tea","quantity":0}')).status, 400);
    assert.equal((await post(`${url}/orders`, '{"sku":"tea","quantity":1}')).status, 202);
  });

  test('a reload brings another document', async (t) => {
    const options = { files: { 'api.yaml': shopApi } };
    const { url, swap, folder } = await startIntegration(t, serving('placeOrder', `{ ${placed} }`), options);
    assert.equal((await post(`${url}/orders`, '{"sku":"tea","quantity":2}')).status, 201);
    assert.ok(folder);
    options.files['api.yaml'] = shopApi.replace('exclusiveMinimum: 0', 'minimum: 5');
    await swap(serving('placeOrder', `{ ${placed} }`));
    const found = await problemOf(await post(`${url}/orders`, '{"sku":"tea","quantity":2}'));
    assert.deepEqual(found.findings, ['/quantity: must be >= 5']);
  });
});
