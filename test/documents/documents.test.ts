/** What an integration is to others, as OpenAPI and AsyncAPI documents. */
import assert from 'node:assert/strict';
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connectors } from '../../connectors/index.ts';
import { prepare } from '../../src/cli/prepare.ts';
import { type DocumentKind, documentOf } from '../../src/documents/document.ts';
import { shopApi } from '../connectors/http/contract/shop.ts';
import { isAsyncApi, isOpenApi } from './validators.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'dowel-documents-'));
after(() => rmSync(folder, { recursive: true }));

// biome-ignore lint/suspicious/noExplicitAny: a document is looked into at many depths
type Shown = any;

async function documentFrom(
  kind: DocumentKind,
  file: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Shown> {
  const { source, program, diagnostics } = await prepare(file, { env, config: 'optional' });
  assert.ok(source && program, JSON.stringify(diagnostics));
  return documentOf(kind, source, connectors);
}

async function shown(
  kind: DocumentKind,
  yaml: string,
  files: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<Shown> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const file = join(folder, 'integration.yaml');
  writeFileSync(file, `dowel: 1\nname: shop\nversion: 1.2.0\n${yaml}`);
  const document = await documentFrom(kind, file, env);
  if (kind === 'openapi') await isOpenApi(document);
  else isAsyncApi(document);
  return document;
}

describe('every example', () => {
  for (const file of globSync('integrations/**/integration.yaml', { cwd: root }).sort()) {
    test(`${file} has documents that are valid`, async () => {
      await isOpenApi(await documentFrom('openapi', join(root, file)));
      isAsyncApi(await documentFrom('asyncapi', join(root, file)));
    });
  }
});

describe('OpenAPI', () => {
  test('a flow tells its parameters, what it validates, and what it answers', async () => {
    const schema =
      '{ "$id": "x", "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": { "lines": { "type": "array", "items": { "$ref": "#/$defs/line" } } }, "$defs": { "line": { "type": "string" } } }';
    const { info, servers, paths, components } = await shown(
      'openapi',
      `
description: A shop.
server: { port: 8081, host: 127.0.0.1 }
flows:
  order:
    description: Takes an order.
    from: { http: { method: [PUT, PATCH], path: "/orders/{id}" } }
    steps:
      - log: { message: came }
      - validate: { schema: ./lines.schema.json }
      - when: lines = []
        respond: { status: 409, body: { error: empty, lines: 0 } }
      - respond: { status: 201, body: { id: "\${{ $params.id }}" } }
  files:
    from: { http: { method: GET, path: "/files/{rest+}" } }
    steps: [ { transform: $params.rest } ]
`,
      { 'lines.schema.json': schema },
    );
    assert.deepEqual(info, { title: 'shop', version: '1.2.0', description: 'A shop.' });
    assert.deepEqual(servers, [{ url: 'http://127.0.0.1:8081' }]);
    const { put, patch } = paths['/orders/{id}'];
    assert.deepEqual([put.operationId, patch.operationId], ['order-put', 'order-patch']);
    assert.deepEqual(put.parameters, [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }]);
    assert.deepEqual(put.requestBody, {
      required: true,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/lines' } } },
    });
    assert.deepEqual(Object.keys(put.responses), ['201', '400', '409', 'default']);
    assert.deepEqual(put.responses['409'].content['application/json'].schema, {
      type: 'object',
      properties: { error: { type: 'string' }, lines: { type: 'number' } },
    });
    assert.deepEqual(components.schemas.lines.properties.lines.items, {
      $ref: '#/components/schemas/lines/$defs/line',
    });
    const { get } = paths['/files/{rest}'];
    assert.equal(get.requestBody, undefined);
    assert.deepEqual(Object.keys(get.responses), ['200', 'default']);
  });

  test('ways to be let in are security schemes, and their keys are not shown', async () => {
    const document = await shown(
      'openapi',
      `
config: { KEY: { secret: true }, PASSWORD: { secret: true } }
flows:
  a:
    from: { http: { path: /a, rateLimit: { rate: 10/s }, auth: { jwt: { issuer: "https://login.example.com", audience: shop, scopes: [write] }, basic: { users: [ { name: ada, password: "\${PASSWORD}" } ] } } } }
    steps: []
  b:
    from: { http: { path: /b, auth: { apiKey: { header: x-key, keys: [ { id: one, key: "\${KEY}" } ] } } } }
    steps: []
  c:
    from: { http: { path: /c, auth: { apiKey: { query: key, keys: [ { id: one, key: "\${KEY}" } ] } } } }
    steps: []
`,
      {},
      { KEY: 'canary-key-one', PASSWORD: 'canary-password' },
    );
    const { paths, components } = document;
    assert.deepEqual(paths['/a'].post.security, [{ jwt: ['write'] }, { basic: [] }]);
    assert.deepEqual(Object.keys(paths['/a'].post.responses), ['200', '401', '403', '429', 'default']);
    assert.deepEqual(components.securitySchemes, {
      jwt: { type: 'openIdConnect', openIdConnectUrl: 'https://login.example.com/.well-known/openid-configuration' },
      basic: { type: 'http', scheme: 'basic' },
      apiKey: { type: 'apiKey', in: 'header', name: 'x-key' },
      'apiKey-2': { type: 'apiKey', in: 'query', name: 'key' },
    });
    assert.doesNotMatch(JSON.stringify(document), /canary/);
  });

  test('an operation of a contract is told as its document has it', async () => {
    const api = shopApi
      .replace(
        'operationId: placeOrder',
        'operationId: placeOrder\n      summary: Place an order\n      security: [ { oauth: [ write ] } ]',
      )
      .replace('components:\n', 'components:\n  securitySchemes: { oauth: { type: http, scheme: bearer } }\n');
    const { paths, components } = await shown(
      'openapi',
      `
flows:
  place: { from: { http: { contract: { openapi: ./api.yaml, operation: placeOrder, basePath: /v1 } } }, steps: [] }
  list: { from: { http: { contract: { openapi: ./api.yaml, operation: listOrders } } }, steps: [] }
`,
      { 'api.yaml': api },
    );
    const { post } = paths['/v1/orders'];
    assert.deepEqual([post.operationId, post.summary], ['placeOrder', 'Place an order']);
    assert.deepEqual(post.requestBody.content['application/json'].schema, { $ref: '#/components/schemas/Order' });
    assert.deepEqual(Object.keys(post.responses), ['201', '400', '415', '4XX', 'default']);
    assert.equal(post.responses['201'].headers.Location.required, true);
    assert.deepEqual(post.security, [{ oauth: ['write'] }]);
    assert.deepEqual(Object.keys(components.schemas), ['Order', 'Placed', 'DowelProblem']);
    assert.deepEqual(components.schemas.Order.required, ['id', 'sku', 'quantity']);
    const { parameters } = paths['/orders'].get;
    assert.deepEqual(
      parameters.map((one: Shown) => [one.name, one.in, one.style, one.explode]),
      [
        ['limit', 'query', 'form', true],
        ['tag', 'query', 'form', true],
        ['sort', 'query', 'form', false],
        ['filter', 'query', 'deepObject', false],
        ['X-Tenant', 'header', 'simple', false],
      ],
    );
  });

  test('a document of OpenAPI 3.0 is told in the words of 3.1', async () => {
    const old = `
openapi: 3.0.3
info: { title: Old, version: '1' }
security: [ { key: [] } ]
paths:
  /a:
    post:
      operationId: a
      requestBody: { content: { application/json: { schema: { type: object, properties: { n: { type: number, minimum: 0, exclusiveMinimum: true, nullable: true, example: 1 } } } } } }
      responses: { '200': { description: A } }
components: { securitySchemes: { key: { type: apiKey, in: header, name: x-key } } }
`;
    const { paths, components } = await shown(
      'openapi',
      'flows: { a: { from: { http: { contract: { openapi: ./old.yaml, operation: a } } }, steps: [] } }\n',
      { 'old.yaml': old },
    );
    assert.deepEqual(paths['/a'].post.requestBody.content['application/json'].schema.properties.n, {
      exclusiveMinimum: 0,
      type: ['number', 'null'],
      examples: [1],
    });
    assert.deepEqual(paths['/a'].post.security, [{ key: [] }]);
    assert.deepEqual(Object.keys(components.securitySchemes), ['key']);
  });

  test('paths that differ in the names of their parameters are one, and ids are given once', async () => {
    const { paths } = await shown(
      'openapi',
      `
flows:
  placeOrder: { from: { http: { method: GET, path: "/a/{id}/b" } }, steps: [] }
  put: { from: { http: { method: PUT, path: "/a/{other}/b" } }, steps: [] }
  place: { from: { http: { contract: { openapi: ./api.yaml, operation: placeOrder } } }, steps: [] }
`,
      { 'api.yaml': shopApi.replaceAll('Placed', 'Problem') },
    );
    assert.deepEqual(Object.keys(paths), ['/a/{id}/b', '/orders']);
    assert.equal(paths['/a/{id}/b'].put.parameters[0].name, 'id');
    assert.deepEqual(
      [paths['/a/{id}/b'].get.operationId, paths['/orders'].post.operationId],
      ['placeOrder', 'placeOrder-2'],
    );
  });

  test('a source whose document is named by config without a value is left out', async () => {
    const yaml = `
config: { DOC: {} }
flows:
  a: { from: { http: { contract: { openapi: "\${DOC}", operation: a } } }, steps: [] }
  b: { from: { http: { path: /b } }, steps: [] }
`;
    assert.deepEqual(Object.keys((await shown('openapi', yaml)).paths), ['/b']);
  });

  test('accepted messages are answered 202, SOAP in its own types', async () => {
    const { paths } = await shown(
      'openapi',
      `
flows:
  kept: { from: { http: { path: /kept, reply: accepted } }, steps: [ { log: { message: got } } ] }
  soap: { from: { soap: { path: /soap } }, steps: [] }
`,
    );
    assert.deepEqual(Object.keys(paths['/kept'].post.responses), ['202', 'default']);
    assert.deepEqual(Object.keys(paths['/soap'].post.requestBody.content), ['text/xml', 'application/soap+xml']);
  });
});

describe('AsyncAPI', () => {
  const brokers = `
config: { AMQP_URL: { type: uri, secret: true }, MQTT_PASSWORD: { secret: true } }
endpoints:
  orders: { amqp: { url: "\${AMQP_URL}", exchange: { name: orders, type: topic } } }
  parked: { kafka: { brokers: [ "kafka-1:9092", "kafka-2:9092" ], topic: parked } }
  things: { mqtt: { url: "mqtts://mq.example", username: u, password: "\${MQTT_PASSWORD}" } }
  subjects: { nats: { url: "nats://user:canary-in-url@nats.example:4222" } }
  streams: { redis: { url: "redis://cache.example:6379", stream: events } }
flows:
  place:
    from: { http: { path: /orders } }
    steps:
      - name: Tell billing
        send: { endpoint: orders, amqp: { routingKey: "order.\${{ country }}.placed" }, body: { id: "\${{ id }}" } }
      - send: { endpoint: things, mqtt: { topic: "shop/\${{ country }}/orders", qos: 1 }, body: "placed \${{ id }}" }
      - send: { endpoint: subjects, nats: { subject: orders.placed } }
      - send: { endpoint: streams }
  audit:
    description: Keeps what happened.
    from: { amqp: { url: "\${AMQP_URL}", queue: audit, bind: [ { exchange: orders, routingKey: "order.#" } ] } }
    deadLetter: { endpoint: parked }
    steps: [ { validate: { schema: { type: object, required: [id] } } }, { log: { message: got } } ]
  telemetry:
    from: { mqtt: { url: "mqtts://mq.example", username: u, password: "\${MQTT_PASSWORD}", topics: [ "field/+/temperature/#" ], clientId: t } }
    steps: [ { log: { message: got } } ]
  facts:
    from: { kafka: { brokers: "kafka-1:9092", topics: [ facts ], group: shop } }
    steps: [ { log: { message: got } } ]
`;

  const env = { AMQP_URL: 'amqp://user:canary-in-amqp@rabbit.example:5672', MQTT_PASSWORD: 'canary-password' };

  test('tells where messages come from and go to, with servers, parameters and bindings', async () => {
    const { servers, channels, operations, components } = await shown('asyncapi', brokers, {}, env);
    assert.deepEqual(
      Object.values(servers).map((one: Shown) => `${one.protocol} ${one.host}`),
      [
        'amqp secret.invalid',
        'secure-mqtt mq.example',
        'nats nats.example:4222',
        'redis cache.example:6379',
        'kafka kafka-1:9092',
        'kafka kafka-2:9092',
      ],
    );
    const { address, parameters, bindings } = channels['order.country.placed'];
    assert.equal(address, 'order.{country}.placed');
    assert.deepEqual(parameters, { country: { description: 'JSONata: country' } });
    assert.deepEqual(bindings.amqp.exchange, { name: 'orders', type: 'topic', durable: true, autoDelete: false });
    assert.equal(channels['field_level1_temperature_rest'].address, 'field/{level1}/temperature/{rest}');
    assert.deepEqual(
      Object.entries(operations).map(([name, one]: [string, Shown]) => `${name}: ${one.action}`),
      [
        'place-send-orders: send',
        'place-send-things: send',
        'place-send-subjects: send',
        'place-send-streams: send',
        'audit-receive: receive',
        'audit-send-parked: send',
        'telemetry-receive: receive',
        'facts-receive: receive',
      ],
    );
    assert.deepEqual(operations['facts-receive'].bindings.kafka.groupId, { type: 'string', enum: ['shop'] });
    assert.equal(operations['place-send-orders'].summary, 'Tell billing');
    assert.equal(operations['audit-receive'].summary, 'Keeps what happened.');
    assert.deepEqual(channels['audit'].messages['audit-receive'], {
      contentType: 'application/json',
      payload: { $ref: '#/components/schemas/audit' },
    });
    assert.deepEqual(components.schemas.audit, { type: 'object', required: ['id'] });
    const types = Object.values(channels).flatMap((one: Shown) =>
      Object.entries(one.messages).map(([name, message]: [string, Shown]) => `${name} ${message.contentType}`),
    );
    assert.ok(types.includes('place-send application/json') && types.includes('place-send text/plain'));
  });

  test('shows no credentials and no secrets', async () => {
    const document = await shown('asyncapi', brokers, {}, env);
    assert.doesNotMatch(JSON.stringify(document), /canary|rabbit\.example/);
  });

  test('CloudEvents say so', async () => {
    const { channels } = await shown(
      'asyncapi',
      `
endpoints: { events: { nats: { url: "nats://localhost:4222", subject: a.b }, cloudEvents: { mode: structured, type: a } } }
flows:
  f: { from: { timer: { every: 1s } }, steps: [ { send: { endpoint: events, body: { a: 1 } } } ] }
`,
    );
    assert.deepEqual(channels['a.b'].messages['f-send'], {
      contentType: 'application/cloudevents+json',
      summary: 'A CloudEvent.',
    });
  });
});
