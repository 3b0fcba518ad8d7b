import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type DowelProcess, runDowel, startDowel } from '../../support/dowel-process.ts';
import { eventually } from '../../support/eventually.ts';
import { service } from '../../support/http-service.ts';
import { NatsServer, natsProgram } from '../../support/nats-server.ts';
import type { ReceivedSpan } from '../../support/otlp-decode.ts';
import { OtlpReceiver } from '../../support/otlp-receiver.ts';

/** Spans come soon, and one integration writes nothing into the folder of another. */
const soon = { OTEL_BSP_SCHEDULE_DELAY: '20' };

async function receiving(t: TestContext): Promise<OtlpReceiver> {
  const receiver = await new OtlpReceiver().start();
  t.after(() => receiver.stop());
  return receiver;
}

function written(t: TestContext, yaml: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-traces-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'integration.yaml');
  writeFileSync(file, `dowel: 1\nadmin: { port: 0 }\n${yaml}`);
  return file;
}

async function running(
  t: TestContext,
  yaml: string,
  receiver: Pick<OtlpReceiver, 'url'>,
  env: Readonly<Record<string, string>> = {},
): Promise<DowelProcess> {
  const dowel = await startDowel(written(t, yaml), {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...soon, ...env },
  });
  t.after(() => dowel[Symbol.asyncDispose]());
  return dowel;
}

const one = (receiver: OtlpReceiver, name: string): ReceivedSpan => {
  const [span, ...more] = receiver.named(name);
  assert.ok(span, `no span ${name} among ${receiver.taken.map((each) => each.name).join(', ')}`);
  assert.equal(more.length, 0, `several spans ${name}`);
  return span;
};

const stock = `
name: stock
version: 2.0.0
server: { port: 0 }
flows:
  stock:
    from: { http: { method: GET, path: "/stock/{sku}" } }
    steps:
      - { name: Look, set: { body: { available: 3 } } }
`;

const shop = (url: string): string => `
name: shop
version: 1.2.0
server: { port: 0, host: 127.0.0.1 }
endpoints:
  stock: { http: { url: "${url}/stock" } }
flows:
  order:
    from: { http: { path: "/orders/{id}" } }
    steps:
      - name: Both
        group:
          steps:
            - name: Ask for stock
              call: { endpoint: stock, http: { method: GET, path: "/tea?key=k-canary" }, as: found }
      - respond: { status: 201, body: { available: "\${{ $found.available }}" } }
`;

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
      lines.map((line) => [line['flow'], line['method'], line['path'], line['status'], line['code']]),
      [
        ['orders', 'POST', '/orders', 401, 'unauthenticated'],
        [undefined, '_OTHER', '/nowhere', 404, 'not-found'],
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

  test('a sender that does not record its trace is followed, and told on; a ratio of nothing records nothing', async (t) => {
    const receiver = await receiving(t);
    const seen: string[] = [];
    const url = await service(t, (request, response) => {
      seen.push(String(request.headers['traceparent']));
      response.end('{}');
    });
    const yaml = `
name: relay
server: { port: 0 }
endpoints: { far: { http: { url: "${url}" } } }
flows:
  relay:
    from: { http: { method: GET, path: /relay } }
    steps: [ { call: { endpoint: far, http: { method: GET } } } ]
`;
    const dowel = await running(t, yaml, receiver);
    const traceId = 'a'.repeat(32);
    await fetch(`${dowel.url}/relay`, { headers: { traceparent: `00-${traceId}-${'b'.repeat(16)}-00` } });
    assert.match(seen[0] ?? '', new RegExp(`^00-${traceId}-[\\da-f]{16}-00$`));
    const never = await running(t, yaml, receiver, {
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
    });
    await fetch(`${never.url}/relay`);
    assert.match(seen[1] ?? '', /-00$/);
    // Its span comes behind all that might have come before.
    await fetch(`${never.url}/relay`, { headers: { traceparent: `00-${traceId}-${'b'.repeat(16)}-01` } });
    await eventually('the one that is recorded is there', () => receiver.named('GET /relay').length > 0);
    await Promise.all([dowel.stop(), never.stop()]);
    assert.deepEqual(receiver.taken.map(({ name }) => name).sort(), ['GET', 'GET /relay', 'call']);
    assert.match(seen[2] ?? '', new RegExp(`^00-${traceId}-${one(receiver, 'GET').id}-01$`));
  });

  test('what waits at the stop is sent before the end; in JSON too', async (t) => {
    const receiver = await receiving(t);
    const dowel = await running(t, stock, receiver, {
      OTEL_BSP_SCHEDULE_DELAY: '600000',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_SERVICE_NAME: 'warehouse',
    });
    await fetch(`${dowel.url}/stock/tea`);
    assert.equal(receiver.requests.length, 0);
    assert.equal((await dowel.stop()).code, 0);
    assert.deepEqual(receiver.taken.map(({ name }) => name).sort(), ['GET /stock/{sku}', 'Look']);
    assert.equal(receiver.requests[0]?.headers['content-type'], 'application/json');
    assert.equal(receiver.taken[0]?.resource['service.name'], 'warehouse');
  });

  test('a receiver that goes away and comes back: one line each, and no request waits for it', async (t) => {
    const receiver = await receiving(t);
    const dowel = await running(t, stock, receiver, {
      OTEL_BSP_MAX_QUEUE_SIZE: '4',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2',
    });
    await receiver.stop();
    for (let n = 0; n < 20; n++) assert.equal((await fetch(`${dowel.url}/stock/tea`)).status, 200);
    const away = (): number =>
      dowel.log.filter(({ message }) => message === 'traces do not reach their receiver').length;
    await eventually('it is said', () => away() > 0);
    const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${dowel.adminPort}/metrics`)).text();
    // Two are on their way, four fit into the queue.
    assert.match(await metrics(), /^dowel_spans_dropped_total\{reason="queue-full"\} 34$/m);
    await receiver.start();
    await eventually('it is said', () => dowel.logged('traces reach their receiver again') !== undefined);
    assert.equal(away(), 1);
    assert.equal(dowel.logged('traces reach their receiver again')?.['dropped'], 34);
    await eventually('the rest has come', () => receiver.taken.length === 6);
    assert.match(await metrics(), /^dowel_spans_exported_total 6$/m);
  });

  test('secrets, headers, queries and bodies are in no span and in no line of the log', async (t) => {
    const receiver = await receiving(t);
    const url = await service(t, (request, response) => {
      if (request.url?.includes('bad')) response.statusCode = 500;
      response.setHeader('x-answer', 'canary-answer').end('{"answer":"canary-answer"}');
    });
    const dowel = await running(
      t,
      `
name: secretive
server: { port: 0 }
config: { HOOK: { secret: true }, KEY: { secret: true } }
endpoints:
  hook: { http: { url: "\${HOOK}", headers: { x-key: "\${KEY}" }, query: { key: "\${KEY}" } } }
flows:
  tell:
    from: { http: { path: /tell } }
    steps:
      - call: { endpoint: hook, http: { query: { who: canary-query } }, headers: { x-own: canary-header } }
      - try:
          steps: [ { call: { endpoint: hook, http: { path: /bad } } } ]
          catch: [ { steps: [ { set: { body: ok } } ] } ]
      - fail: { code: no-luck, detail: "\${{ 'canary-detail' }}" }
`,
      receiver,
      { HOOK: `${url}/services/canary/T1`, KEY: 'canary-key', LOG_LEVEL: 'debug' },
    );
    await fetch(`${dowel.url}/tell?token=canary-token`, {
      method: 'POST',
      headers: { authorization: 'Bearer canary-bearer', 'content-type': 'application/json' },
      body: '{"card":"canary-body"}',
    });
    await eventually('all spans are there', () => receiver.named('POST /tell').length === 1);
    await dowel.stop();
    const sent = Buffer.concat(receiver.requests.map(({ body }) => body)).toString('latin1');
    assert.match(sent, /POST \/tell/);
    assert.doesNotMatch(sent, /canary/);
    const lines = dowel.log.filter(({ message }) => message === 'message ended' || message === 'call ended');
    assert.equal(lines.length, 3);
    assert.ok(lines.every((line) => line['integration'] === 'secretive' && line['traceId'] !== undefined));
    assert.doesNotMatch(JSON.stringify(lines), /canary/);
    // What a `fail` step says is said to people: the log has it, spans do not.
    assert.doesNotMatch(dowel.stdout.replaceAll('canary-detail', ''), /canary/);
  });

  test('dowel dev sends them too', async (t) => {
    const receiver = await receiving(t);
    const file = written(
      t,
      `
name: tried
flows:
  tick:
    from: { timer: { every: 1h, immediately: true } }
    steps: [ { name: Say, log: { message: tick } } ]
`,
    );
    await using _ = await startDowel(file, {
      command: 'dev',
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...soon },
    });
    await eventually('all spans are there', () => receiver.taken.length >= 2);
    assert.equal(one(receiver, 'Say').parent, one(receiver, 'tick').id);
    assert.equal(one(receiver, 'tick').resource['service.name'], 'tried');
  });

  test('a wrong variable ends the start with one line that says what to write', async (t) => {
    const file = written(t, stock);
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
    const { code, stdout, stderr } = await runDowel(['run', file], { env });
    assert.equal(code, 78);
    assert.equal(stdout, '');
    assert.match(stderr, /^[^\n]*OTEL_EXPORTER_OTLP_PROTOCOL is "grpc"[^\n]*4318[^\n]*\n$/);
  });
});
