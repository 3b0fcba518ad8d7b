import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { integrationOf, type Running, request, type Service, startIntegration, startService } from './support.ts';

async function started(
  t: TestContext,
  steps: string,
  more = '',
): Promise<{ readonly running: Running; readonly far: Service }> {
  const far = await startService(t, (_, response) => response.end('{}'));
  const endpoint = `far: { http: { url: "${far.url}"${more} } }`;
  return {
    far,
    running: await startIntegration(t, integrationOf({ main: { from: 'http: { path: /run }', steps } }, endpoint)),
  };
}

const call = '- call: { endpoint: far, http: { path: /x } }';
const run = (running: Running, id?: string) =>
  request(`${running.url}/run`, { method: 'POST', headers: id === undefined ? {} : { 'x-request-id': id } });

describe('the id of a request', () => {
  it('is that of the caller: answered, passed on to calls, and on every log line', async (t) => {
    const steps = `${call}\n- log: { message: done, fields: { seen: "\${{ $exchange.requestId }}" } }\n- respond: { body: "\${{ $exchange.id }}" }`;
    const { running, far } = await started(t, steps);
    const reply = await run(running, 'order-17/a');
    assert.equal(reply.headers['x-request-id'], 'order-17/a');
    assert.equal(far.requests[0]?.headers['x-request-id'], 'order-17/a');
    const line = running.log.lines.find((one) => one.message === 'done');
    assert.equal(line?.fields['seen'], 'order-17/a');
    const done = running.log.lines.find((one) => one.message === 'step done');
    assert.equal(done?.fields['requestId'], 'order-17/a');
    // A message has an id of its own: that of a caller may come twice.
    assert.match(reply.text, /^"?[\da-f-]{36}"?$/);
  });

  it('is made where the caller says none', async (t) => {
    const { running, far } = await started(t, `${call}\n- respond: { body: "\${{ $exchange.id }}" }`);
    const reply = await run(running);
    const id = String(reply.headers['x-request-id']);
    assert.match(id, /^[\da-f-]{36}$/);
    assert.equal(far.requests[0]?.headers['x-request-id'], id);
    assert.ok(reply.text.includes(id));
  });

  it('of a caller that is long, or holds what has no place in a log, is another one', async (t) => {
    const { running } = await started(t, '- respond: {}');
    for (const id of ['a'.repeat(129), 'a b', '<script>', '"', 'ä', '']) {
      assert.match(String((await run(running, id)).headers['x-request-id']), /^[\da-f-]{36}$/);
    }
    assert.equal((await run(running, 'a'.repeat(128))).headers['x-request-id'], 'a'.repeat(128));
  });

  it('stands in problem documents, beside that of the message', async (t) => {
    const { running } = await started(t, '- fail: { code: broken }');
    const reply = await run(running, 'r-1');
    const problem = reply.json as Record<string, unknown>;
    assert.equal(reply.headers['x-request-id'], 'r-1');
    assert.equal(problem['requestId'], 'r-1');
    assert.match(String(problem['id']), /^[\da-f-]{36}$/);
    assert.equal((await run(running).then((one) => one.json as Record<string, unknown>))['requestId'], undefined);
  });

  it('that the file gives its calls and answers wins', async (t) => {
    const { running, far } = await started(
      t,
      `- call: { endpoint: far, http: { path: /x, headers: { X-Request-Id: own } } }\n- respond: { headers: { x-request-id: mine } }`,
    );
    assert.equal((await run(running, 'r-1')).headers['x-request-id'], 'mine');
    assert.equal(far.requests[0]?.headers['x-request-id'], 'own');
    const always = await started(t, call, ', headers: { x-request-id: fixed }');
    await run(always.running, 'r-1');
    assert.equal(always.far.requests[0]?.headers['x-request-id'], 'fixed');
  });
});

describe('every answer', () => {
  it('keeps browsers from guessing what it is, and does not say who serves', async (t) => {
    const { running } = await started(t, '- respond: { body: { a: 1 } }');
    const { headers } = await run(running);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.deepEqual([headers['server'], headers['x-powered-by']], [undefined, undefined]);
    assert.equal(headers['strict-transport-security'], undefined);
    const set = await started(t, '- respond: { body: { a: 1 }, headers: { x-content-type-options: other } }');
    assert.equal((await run(set.running)).headers['x-content-type-options'], 'other');
  });

  it('that is an error is kept by no cache', async (t) => {
    const { running } = await started(t, '- fail: { code: broken }');
    const { headers } = await run(running);
    assert.deepEqual([headers['cache-control'], headers['x-content-type-options']], ['no-store', 'nosniff']);
    assert.equal((await request(`${running.url}/nowhere`)).headers['cache-control'], 'no-store');
  });
});
