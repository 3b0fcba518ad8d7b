import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { integrationOf, startIntegration, startService } from './support.ts';

const structured = (more: object = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
  body: JSON.stringify({
    specversion: '1.0',
    type: 'com.example.someevent',
    source: '/mycontext',
    id: 'C234-1234-1234',
    datacontenttype: 'application/json',
    data: { appinfoA: 'abc' },
    ...more,
  }),
});

const binary: RequestInit = {
  method: 'POST',
  headers: {
    'ce-specversion': '1.0',
    'ce-type': 'com.example.someevent',
    'ce-id': '1234-1234-1234',
    'ce-source': '/mycontext/subcontext',
    'ce-subject': 'Euro%20%E2%82%AC',
    'content-type': 'application/json; charset=utf-8',
  },
  body: '{"appinfoA":"abc"}',
};

const from = 'http: { path: / }, cloudEvents: {}';

describe('an http source with `cloudEvents`', () => {
  it('gives the flow the data as body and the attributes as $event, in both modes', async (t) => {
    const steps =
      '- respond: { body: { a: "${{ appinfoA }}", id: "${{ $event.id }}", about: "${{ $event.subject }}" } }';
    const { url } = await startIntegration(t, integrationOf({ main: { from, steps } }));
    assert.deepEqual(await (await fetch(url, structured())).json(), { a: 'abc', id: 'C234-1234-1234' });
    const answer = await (await fetch(url, binary)).json();
    assert.deepEqual(answer, { a: 'abc', id: '1234-1234-1234', about: 'Euro €' });
  });

  it('shows them in sub-flows, rounds and onError too', async (t) => {
    const flows = {
      main: {
        from,
        steps: [
          '- run: { flow: sub, as: inside }',
          '- forEach: { items: "[1,2]", as: x, into: rounds, steps: [ { transform: "$event.id & $string($x)" } ] }',
          '- fail: { code: odd, status: 422, detail: "${{ $inside.type }} ${{ $join($rounds, \\",\\") }}" }',
        ].join('\n'),
        more: 'onError: [ { steps: [ { respond: { body: { from: "${{ $event.source }}", why: "${{ $error.message }}" } } } ] } ]',
      },
    };
    const yaml = `${integrationOf(flows)}\n  sub: { steps: [ { transform: '{ "type": $event.type }' } ] }\n`;
    const { url } = await startIntegration(t, yaml);
    assert.deepEqual(await (await fetch(url, structured({ id: 'e' }))).json(), {
      from: '/mycontext',
      why: 'com.example.someevent e1,e2',
    });
  });

  it('answers 400 to what is no event; onError may say something else', async (t) => {
    const flows = {
      plain: { from, steps: '- respond: {}' },
      caught: {
        from: 'http: { path: /caught }, cloudEvents: {}',
        steps: '- respond: {}',
        more: 'onError: [ { on: [malformed], steps: [ { respond: { status: 418, body: { why: "${{ $error.message }}" } } } ] } ]',
      },
      lenient: {
        from: 'http: { path: /lenient }, cloudEvents: { required: false }',
        steps: '- respond: { body: { event: "${{ $exists($event) }}" } }',
      },
    };
    const { url } = await startIntegration(t, integrationOf(flows));
    const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
    const refused = await fetch(url, json);
    assert.equal(refused.status, 400);
    const { detail } = (await refused.json()) as { readonly detail: string };
    assert.match(detail, /CloudEvent cannot be read: the message has no header `ce-specversion`/);
    const caught = await fetch(`${url}/caught`, structured({ id: '' }));
    assert.deepEqual([caught.status, ((await caught.json()) as { why: string }).why.includes('`id`')], [418, true]);
    assert.deepEqual(await (await fetch(`${url}/lenient`, json)).json(), { event: false });
    assert.deepEqual(await (await fetch(`${url}/lenient`, binary)).json(), { event: true });
  });

  it('orders by what is in the event, and keeps it as it came where it waits', async (t) => {
    const service = await startService(t, (_, response) => response.end());
    const flows = {
      main: {
        from: 'http: { path: /, reply: accepted }, cloudEvents: {}',
        more: 'concurrency: 4\norderBy: $event.source & appinfoA',
        steps: '- call: { endpoint: far, http: { method: POST, path: "/${{ $event.id }}" } }',
      },
    };
    const { url } = await startIntegration(t, integrationOf(flows, `far: { http: { url: "${service.url}" } }`));
    for (const id of ['a', 'b', 'c']) assert.equal((await fetch(url, structured({ id }))).status, 202);
    await eventually('all came', () => service.requests.length === 3);
    assert.deepEqual(
      service.requests.map((one) => one.url),
      ['/a', '/b', '/c'],
    );
    assert.equal(service.requests[0]?.body, '{"appinfoA":"abc"}');
  });
});

describe('an http endpoint with `cloudEvents`', () => {
  const sending = (mode: string, step: string, more = ''): string =>
    integrationOf(
      { main: { from: 'http: { path: / }', steps: step } },
      `far: { http: { url: "URL" }${more}, cloudEvents: { mode: ${mode}, source: /shop, type: order.placed } }`,
    );
  const step = '- send: { endpoint: far, http: { path: /x }, event: { subject: "${{ orderId }}", id: e1 } }';
  const order = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"orderId":"A 1"}' };

  it('binary: attributes as headers, the body as it is', async (t) => {
    const service = await startService(t, (_, response) => response.end());
    const { url } = await startIntegration(t, sending('binary', step).replace('URL', service.url));
    await fetch(url, order);
    const [request] = service.requests;
    const { 'ce-time': time, ...headers } = request?.headers ?? {};
    assert.match(String(time), /^\d{4}-\d\d-\d\dT/);
    const names = Object.entries(headers).filter(([name]) => name.startsWith('ce-'));
    assert.deepEqual(Object.fromEntries(names), {
      'ce-specversion': '1.0',
      'ce-id': 'e1',
      'ce-source': '/shop',
      'ce-type': 'order.placed',
      'ce-subject': 'A%201',
    });
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(request?.body, '{"orderId":"A 1"}');
  });

  it('structured: one document; the same event for each attempt', async (t) => {
    let calls = 0;
    const service = await startService(t, (_, response) => {
      response.statusCode = ++calls < 3 ? 503 : 200;
      response.end();
    });
    const drawn = step.replace(', id: e1', '').replace('send: {', 'send: { idempotent: true,');
    const retry = ', retry: { maxAttempts: 3, delay: 1ms }';
    const { url } = await startIntegration(t, sending('structured', drawn, retry).replace('URL', service.url));
    await fetch(url, order);
    assert.equal(service.requests.length, 3);
    assert.equal(new Set(service.requests.map((one) => one.body)).size, 1);
    const [request] = service.requests;
    assert.equal(request?.headers['content-type'], 'application/cloudevents+json');
    assert.deepEqual(JSON.parse(request?.body ?? '').data, { orderId: 'A 1' });
  });

  it('a recipient list sends one event each', async (t) => {
    const service = await startService(t, (_, response) => response.end('{}'));
    const list = `- recipientList: { endpoints: '["far"]', http: { path: /x }, event: { type: order.paid } }`;
    const { url } = await startIntegration(t, sending('binary', list).replace('URL', service.url));
    assert.equal((await fetch(url, order)).status, 200);
    assert.equal(service.requests[0]?.headers['ce-type'], 'order.paid');
  });

  it('an event goes through a channel as it is', async (t) => {
    const service = await startService(t, (_, response) => response.end());
    const flows = {
      main: { from: 'http: { path: / }', steps: '- send: { endpoint: jobs, event: { subject: "${{ orderId }}" } }' },
      work: {
        from: 'channel: { name: jobs }, cloudEvents: {}',
        steps: '- call: { endpoint: far, http: { path: "/${{ $event.subject }}" } }',
      },
    };
    const endpoints = `far: { http: { url: "${service.url}" } }\njobs: { channel: { name: jobs }, cloudEvents: { mode: binary, type: x } }`;
    const { url } = await startIntegration(t, integrationOf(flows, endpoints));
    await fetch(url, order);
    await eventually('it came', () => service.requests.length === 1);
    assert.deepEqual([service.requests[0]?.url, service.requests[0]?.body], ['/A%201', '{"orderId":"A 1"}']);
  });
});
