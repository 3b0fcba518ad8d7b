import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { service } from '../../support/http-service.ts';
import { NatsServer, natsProgram } from '../../support/nats-server.ts';
import { one, receiving, running, shop, stock } from './support.ts';

describe('traces of running integrations', () => {
  test('a request through two of them is one trace, whose spans nest, under the names of the conventions', async (t) => {
    const receiver = await receiving(t);
    const inner = await running(t, stock, receiver);
    const outer = await running(t, shop(inner.url), receiver, { OTEL_RESOURCE_ATTRIBUTES: 'team=desk' });
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const answer = await fetch(`${outer.url}/orders/A1?token=canary`, {
      method: 'POST',
      headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, tracestate: 'v=1' },
    });
    assert.equal(answer.status, 201);
    await eventually('all spans are there', () => receiver.taken.length >= 7);

    const message = one(receiver, 'POST /orders/{id}');
    assert.ok(receiver.taken.every((span) => span.traceId === traceId && span.scope === 'dowel'));
    assert.equal(message.kind, 'server');
    assert.equal(message.parent, '00f067aa0ba902b7');
    assert.equal(message.state, 'v=1');
    assert.deepEqual(message.status, { code: 'unset', message: '' });
    const port = Number(new URL(outer.url).port);
    const { 'dowel.exchange.id': exchange, ...attributes } = message.attributes;
    assert.equal(exchange, answer.headers.get('x-request-id'));
    assert.deepEqual(attributes, {
      'http.request.method': 'POST',
      'http.route': '/orders/{id}',
      'http.response.status_code': 201,
      'url.path': '/orders/A1',
      'url.scheme': 'http',
      'server.address': '127.0.0.1',
      'server.port': port,
      'client.address': '127.0.0.1',
      'dowel.flow': 'order',
      'dowel.connector': 'http',
      'dowel.outcome': 'done',
    });
    assert.equal(message.resource['service.name'], 'shop');
    assert.equal(message.resource['service.version'], '1.2.0');
    assert.equal(message.resource['team'], 'desk');

    const both = one(receiver, 'Both');
    const step = one(receiver, 'Ask for stock');
    assert.deepEqual([both.parent, both.kind], [message.id, 'internal']);
    assert.deepEqual([step.parent, step.kind], [both.id, 'internal']);
    assert.deepEqual(step.attributes, {
      'dowel.step.kind': 'call',
      'dowel.step.place': 'order/steps/0/group/steps/0 "Ask for stock"',
    });
    assert.equal(one(receiver, 'respond').parent, message.id);
    const call = one(receiver, 'GET');
    assert.deepEqual([call.parent, call.kind], [step.id, 'client']);
    assert.deepEqual(call.attributes, {
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'url.full': `${inner.url}/stock/tea`,
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(inner.url).port),
      'dowel.endpoint': 'stock',
      'dowel.connector': 'http',
    });

    const asked = one(receiver, 'GET /stock/{sku}');
    assert.equal(asked.parent, call.id);
    assert.equal(asked.resource['service.name'], 'stock');
    assert.equal(one(receiver, 'Look').parent, asked.id);
    for (const span of receiver.taken) assert.ok(span.start <= span.end && span.start > 1_700_000_000_000_000_000n);
    assert.ok(message.start <= call.start && call.end <= message.end);
    assert.doesNotMatch(Buffer.concat(receiver.requests.map(({ body }) => body)).toString('latin1'), /canary/);
  });

  test('each attempt of a call is seen, and what failed says with which code', async (t) => {
    const receiver = await receiving(t);
    let asked = 0;
    const parents: (string | undefined)[] = [];
    const url = await service(t, (request, response) => {
      parents.push(String(request.headers['traceparent']).slice(36, 52));
      response.writeHead(++asked === 1 ? 503 : 404).end();
    });
    const dowel = await running(
      t,
      `
name: retrying
server: { port: 0 }
endpoints:
  far: { http: { urls: [ { name: north, url: "${url}" } ] }, retry: { delay: 1ms } }
flows:
  ask:
    from: { http: { method: GET, path: /ask } }
    steps: [ { name: Ask, call: { endpoint: far, http: { method: GET } } } ]
`,
      receiver,
    );
    const answer = await fetch(`${dowel.url}/ask`);
    assert.equal(answer.status, 502);
    await eventually('all spans are there', () => receiver.taken.length >= 4);
    const [first, second] = receiver.named('GET');
    assert.ok(first && second);
    assert.deepEqual(
      [first.attributes['http.response.status_code'], second.attributes['http.response.status_code']],
      [503, 404],
    );
    assert.deepEqual([first.attributes['error.type'], second.attributes['error.type']], ['503', '404']);
    assert.deepEqual(
      [first.attributes['http.request.resend_count'], second.attributes['http.request.resend_count']],
      [undefined, 1],
    );
    assert.deepEqual(first.status, { code: 'error', message: 'http-503' });
    assert.deepEqual(parents, [first.id, second.id]);
    assert.equal(first.attributes['dowel.target'], 'north');
    assert.equal(first.attributes['server.port'], Number(new URL(url).port));
    const step = one(receiver, 'Ask');
    assert.deepEqual([first.parent, second.parent], [step.id, step.id]);
    assert.deepEqual(step.status, { code: 'error', message: 'http-404' });
    assert.equal(step.attributes['error.type'], 'http-404');
    const message = one(receiver, 'GET /ask');
    assert.deepEqual(message.status, { code: 'error', message: 'http-404' });
    assert.equal(message.attributes['http.response.status_code'], 502);
    assert.equal(message.attributes['dowel.error.place'], 'ask/steps/0 "Ask"');
    assert.equal(message.attributes['dowel.outcome'], 'failed');
  });

  test('what the sender has to mend is an error of its step, and none of the server', async (t) => {
    const receiver = await receiving(t);
    const dowel = await running(
      t,
      `
name: strict
server: { port: 0 }
flows:
  take:
    from: { http: { path: /take } }
    steps:
      - validate: { schema: { type: object, required: [sku] } }
      - name: Never
        when: sku = 'none'
        set: { body: nothing }
`,
      receiver,
    );
    const send = (body: object): Promise<Response> =>
      fetch(`${dowel.url}/take`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      });
    assert.equal((await send({ canary: 1 })).status, 400);
    assert.equal((await send({ sku: 'tea' })).status, 200);
    await eventually('all spans are there', () => receiver.named('POST /take').length === 2);
    const [refused, taken] = receiver.named('POST /take');
    assert.ok(refused && taken);
    assert.deepEqual(refused.status, { code: 'unset', message: '' });
    assert.equal(refused.attributes['http.response.status_code'], 400);
    assert.equal(refused.attributes['dowel.error.code'], 'validation');
    assert.equal('error.type' in refused.attributes, false);
    assert.notEqual(refused.traceId, taken.traceId);
    const steps = receiver.named('validate');
    assert.deepEqual(
      steps.map(({ status }) => status.code),
      ['error', 'unset'],
    );
    assert.equal(receiver.named('Never').length, 0, 'a step that was skipped has no span');
  });

  test('a request that no flow gets is seen, and said, all the same', async (t) => {
    const receiver = await receiving(t);
    const dowel = await running(
      t,
      `
name: closed
server: { port: 0 }
flows:
  orders:
    from: { http: { path: /orders, auth: { apiKey: { keys: [ { id: shop, key: right-key } ] } } } }
    steps: [ { respond: { status: 204 } } ]
`,
      receiver,
      { LOG_CALLS: 'info' },
    );
    const traceId = 'c'.repeat(32);
    const headers = { traceparent: `00-${traceId}-${'b'.repeat(16)}-01`, 'x-api-key': 'canary-key' };
    assert.equal((await fetch(`${dowel.url}/orders?key=canary`, { method: 'POST', headers })).status, 401);
    assert.equal((await fetch(`${dowel.url}/nowhere?key=canary`, { method: 'PURGE' })).status, 404);
    await eventually('both are there', () => receiver.taken.length === 2);
    const refused = one(receiver, 'POST /orders');
    assert.deepEqual([refused.traceId, refused.parent, refused.kind], [traceId, 'b'.repeat(16), 'server']);
    assert.equal(refused.attributes['http.response.status_code'], 401);
    assert.deepEqual(refused.status, { code: 'unset', message: '' });
    const nowhere = one(receiver, 'HTTP');
    assert.equal(nowhere.attributes['http.response.status_code'], 404);
    assert.equal(nowhere.attributes['url.path'], '/nowhere');
    const lines = dowel.log.filter(({ message }) => message === 'request refused');
    assert.deepEqual(
      lines.map((line) => [line['flow'], line['method'], line['path'], line['status'], line['code'], line['reason']]),
      [
        ['orders', 'POST', '/orders', 401, 'unauthenticated', 'unknown'],
        [undefined, '_OTHER', '/nowhere', 404, 'not-found', undefined],
      ],
    );
    assert.equal(lines[0]?.['traceId'], traceId);
    assert.doesNotMatch(dowel.stdout, /canary/);
  });

  test('through a channel in the process the trace goes on: a span sends, one takes', async (t) => {
    const receiver = await receiving(t);
    await running(
      t,
      `
name: passing
endpoints:
  billing: { channel: { name: billing } }
flows:
  tick:
    from: { timer: { every: 1h, immediately: true } }
    steps: [ { send: { endpoint: billing, body: { bill: 1 } } } ]
  bill:
    from: { channel: { name: billing } }
    steps: [ { name: Bill, log: { message: billed } } ]
`,
      receiver,
    );
    await eventually('all spans are there', () => receiver.taken.length >= 5);
    const tick = one(receiver, 'tick');
    assert.deepEqual([tick.kind, tick.parent], ['internal', '']);
    assert.equal(tick.traceId, String(tick.attributes['dowel.exchange.id']).replaceAll('-', ''));
    const sent = one(receiver, 'send billing');
    assert.equal(sent.kind, 'producer');
    assert.equal(sent.parent, one(receiver, 'send').id);
    const taken = one(receiver, 'process billing');
    assert.deepEqual([taken.kind, taken.parent, taken.traceId], ['consumer', sent.id, tick.traceId]);
    assert.equal(taken.attributes['messaging.system'], 'dowel');
    assert.equal(taken.attributes['messaging.operation.type'], 'process');
    assert.equal(taken.attributes['messaging.destination.name'], 'billing');
    assert.equal(one(receiver, 'Bill').parent, taken.id);
  });

  test('through a broker too', { skip: !natsProgram && 'nats-server is not installed' }, async (t) => {
    const receiver = await receiving(t);
    const server = await NatsServer.start();
    t.after(() => server[Symbol.asyncDispose]());
    await running(
      t,
      `
name: publishing
endpoints:
  events: { nats: { url: "${server.url}", stream: ORDERS, declare: { subjects: [orders.>] } } }
flows:
  tick:
    from: { timer: { every: 1h, immediately: true } }
    steps: [ { send: { endpoint: events, nats: { subject: orders.placed }, body: { id: 1 } } } ]
  audit:
    from: { nats: { url: "${server.url}", stream: ORDERS, declare: { subjects: [orders.>] } } }
    steps: [ { name: Audit, log: { message: got } } ]
`,
      receiver,
    );
    await eventually('all spans are there', () => receiver.taken.length >= 5, 20_000);
    const tick = one(receiver, 'tick');
    const sent = one(receiver, 'send ORDERS');
    assert.equal(sent.kind, 'producer');
    assert.deepEqual(
      [sent.attributes['messaging.system'], sent.attributes['messaging.destination.name']],
      ['nats', 'orders.placed'],
    );
    assert.deepEqual([sent.attributes['server.address'], sent.attributes['server.port']], ['127.0.0.1', server.port]);
    const taken = one(receiver, 'process ORDERS');
    assert.deepEqual([taken.kind, taken.parent, taken.traceId], ['consumer', sent.id, tick.traceId]);
    assert.equal(taken.attributes['messaging.destination.name'], 'orders.placed');
  });
});
