import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { integrationOf, type Received, startIntegration, startService } from './support.ts';

const theirs = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${theirs}-00f067aa0ba902b7-01`;
const tracestate = 'congo=t61rcWkgMzE';

const traceOf = (request: Received | undefined): string => String(request?.headers.traceparent).slice(3, 35);
const spanOf = (request: Received | undefined): string => String(request?.headers.traceparent).slice(36, 52);

const flow = (steps: string, more = ''): Parameters<typeof integrationOf>[0] => ({
  main: { from: 'http: { method: POST, path: / }', steps, more },
});
const post = (url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(url, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json', ...headers } });

const far = (url: string, more = ''): string => `far: { http: { url: "${url}" }${more} }`;
const call = '- call: { endpoint: far, http: { method: POST, path: /x } }';

describe('the trace of a request', () => {
  it('goes on with every call, each with a span of its own', async (t) => {
    const service = await startService(t, (_, response) => response.end());
    const twice = `${call.replace('call: {', 'call: { as: first,')}\n${call}`;
    const { url } = await startIntegration(t, integrationOf(flow(twice), far(service.url)));
    await post(url, { traceparent, tracestate });
    const [one, two] = service.requests;
    assert.deepEqual([traceOf(one), traceOf(two)], [theirs, theirs]);
    assert.equal(new Set([spanOf(one), spanOf(two), '00f067aa0ba902b7']).size, 3);
    assert.deepEqual([one?.headers['tracestate'], two?.headers['tracestate']], [tracestate, tracestate]);
  });

  it('begins with the request where it came with none: its id is in x-request-id too', async (t) => {
    const service = await startService(t, (_, response) => response.end());
    const { url } = await startIntegration(t, integrationOf(flow(call), far(service.url)));
    const answer = await post(url);
    assert.equal(traceOf(service.requests[0]), answer.headers.get('x-request-id')?.replaceAll('-', ''));
    assert.equal(service.requests[0]?.headers['tracestate'], undefined);
  });

  it('is what the file says, where it says something', async (t) => {
    const service = await startService(t, (_, response) => response.end());
    const own = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;
    const steps = [
      call.replace('path: /x', `path: /1, headers: { Traceparent: ${own} }`).replace('call: {', 'call: { as: one,'),
      call.replace('{ endpoint', `{ as: two, headers: { traceparent: ${own} }, endpoint`),
      `- set: { headers: { traceparent: ${own}, tracestate: "x=1" } }`,
      call,
    ];
    const { url } = await startIntegration(t, integrationOf(flow(steps.join('\n')), far(service.url)));
    await post(url, { traceparent, tracestate });
    assert.deepEqual(
      service.requests.map(({ headers }) => [headers.traceparent, headers['tracestate']]),
      [
        [own, undefined],
        [own, undefined],
        [own, 'x=1'],
      ],
    );
  });

  it('has a span for each attempt of a call', async (t) => {
    let calls = 0;
    const service = await startService(t, (_, response) => {
      response.statusCode = ++calls < 3 ? 503 : 200;
      response.end();
    });
    const retry = ', retry: { maxAttempts: 3, delay: 1ms }';
    const steps = call.replace('call: {', 'call: { idempotent: true,');
    const { url, log } = await startIntegration(t, integrationOf(flow(steps), far(service.url, retry)));
    await post(url, { traceparent });
    assert.equal(new Set(service.requests.map(spanOf)).size, 3);
    assert.deepEqual(
      log.lines.filter((line) => line.message === 'retrying').map((line) => line.fields['traceId']),
      [theirs, theirs],
    );
  });

  it('stands in problem documents, in lines of the log, and in $exchange', async (t) => {
    const steps =
      '- log: { message: seen, fields: { own: "${{ $exchange.traceId }}" } }\n- fail: { code: odd, status: 500 }';
    const { url, log } = await startIntegration(t, integrationOf(flow(steps)));
    const problem = (await (await post(url, { traceparent })).json()) as Readonly<Record<string, unknown>>;
    assert.equal(problem['traceId'], theirs);
    const seen = log.lines.find((line) => line.message === 'seen');
    assert.deepEqual([seen?.fields['traceId'], seen?.fields['own']], [theirs, theirs]);
    const failed = log.lines.find((line) => line.message === 'a message failed');
    assert.equal(failed?.fields['traceId'], theirs);
    const missing = (await (await post(`${url}/nowhere`, { traceparent })).json()) as Readonly<Record<string, unknown>>;
    assert.equal(missing['traceId'], theirs);
  });

  it('does not come back with the answer', async (t) => {
    const service = await startService(t, (_, response) => response.end('{}'));
    const { url } = await startIntegration(t, integrationOf(flow(call), far(service.url)));
    const { headers } = await post(url, { traceparent, tracestate });
    assert.deepEqual([headers.get('traceparent'), headers.get('tracestate')], [null, null]);
  });

  for (const durable of [false, true]) {
    it(`goes on through a channel${durable ? ' that is durable' : ''}, and through reply: accepted`, async (t) => {
      const service = await startService(t, (_, response) => response.end());
      const flows = {
        main: { from: 'http: { path: /, reply: accepted }', steps: '- send: { endpoint: jobs }' },
        work: { from: `channel: { name: jobs, durable: ${durable} }`, steps: call },
      };
      const endpoints = `${far(service.url)}\njobs: { channel: { name: jobs } }`;
      const { url } = await startIntegration(t, integrationOf(flows, endpoints));
      await post(url, { traceparent, tracestate });
      const { id } = (await (await post(url)).json()) as { readonly id: string };
      await eventually('both arrived', () => service.requests.length === 2);
      assert.deepEqual(service.requests.map(traceOf), [theirs, id.replaceAll('-', '')]);
      assert.equal(service.requests[0]?.headers['tracestate'], tracestate);
    });
  }
});
