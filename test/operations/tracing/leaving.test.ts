import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runDowel, startDowel } from '../../support/dowel-process.ts';
import { eventually } from '../../support/eventually.ts';
import { service } from '../../support/http-service.ts';
import { one, receiving, running, soon, stock, written } from './support.ts';

describe('traces on their way out of running integrations', () => {
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
