import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Project } from '../cli/support/project.ts';
import { type DowelProcess, startDowel } from '../support/dowel-process.ts';
import { service } from '../support/http-service.ts';

const yaml = (far: string): string => `
dowel: 1
name: watched
version: 1.0.0
config: { TOKEN: { secret: true }, REGION: { default: north } }
server: { port: 0, host: 127.0.0.1 }
admin: { port: 0, token: "\${TOKEN}" }
endpoints:
  far:
    http: { url: "${far}" }
    circuitBreaker: { minCalls: 5 }
    bulkhead: { max: 3 }
  other: { http: { url: "${far}" } }
flows:
  ask:
    from: { http: { method: GET, path: /ask } }
    steps: [ { call: { endpoint: far, http: { method: GET, path: / } } } ]
`;

const token = 'a-token-that-nobody-guesses';

async function admin(
  dowel: DowelProcess,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly text: string; readonly body: Record<string, unknown> }> {
  const response = await fetch(`http://127.0.0.1:${dowel.adminPort}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, body: JSON.parse(text) };
}

describe('the admin server of a running integration', () => {
  test('tells its state; of secrets only their names', async (t) => {
    const far = await service(t, (_, response) => response.writeHead(200).end());
    const project = new Project(t, { 'integration.yaml': yaml(far) });
    await using dowel = await startDowel(project.path('integration.yaml'), { env: { TOKEN: token } });
    const { status, body, text } = await admin(dowel, 'GET', '/status');
    assert.equal(status, 200);
    const { integration, version, ready, inFlight, config, flows, endpoints } = body;
    assert.deepEqual([integration, version, ready, inFlight], ['watched', '1.0.0', true, 0]);
    assert.deepEqual(config, { REGION: 'north', TOKEN: '(secret)' });
    assert.deepEqual(flows, [{ name: 'ask', from: 'http', durable: false, paused: false, inFlight: 0 }]);
    assert.deepEqual(endpoints, [
      { name: 'far', connector: 'http', circuitBreaker: 'closed', bulkhead: { running: 0, waiting: 0, max: 3 } },
      { name: 'other', connector: 'http' },
    ]);
    assert.doesNotMatch(text, new RegExp(token));
    const refused = await fetch(`http://127.0.0.1:${dowel.adminPort}/status`);
    assert.equal(refused.status, 401);
  });

  test('a circuit breaker is opened, switched off and reset by hand', async (t) => {
    const far = await service(t, (_, response) => response.writeHead(200).end());
    const project = new Project(t, { 'integration.yaml': yaml(far) });
    await using dowel = await startDowel(project.path('integration.yaml'), { env: { TOKEN: token } });
    const ask = async (): Promise<number> => (await fetch(`${dowel.url}/ask`)).status;
    assert.equal(await ask(), 204);
    const opened = await admin(dowel, 'PUT', '/endpoints/far/circuit-breaker', { state: 'open' });
    assert.deepEqual([opened.status, opened.body], [200, { endpoint: 'far', circuitBreaker: 'forced-open' }]);
    assert.equal(await ask(), 503);
    assert.match(await (await fetch(`http://127.0.0.1:${dowel.adminPort}/metrics`)).text(), /forced-open"\} 1$/m);
    await admin(dowel, 'PUT', '/endpoints/far/circuit-breaker', { state: 'off' });
    assert.equal(await ask(), 204);
    await admin(dowel, 'PUT', '/endpoints/far/circuit-breaker', { state: 'reset' });
    const status = await admin(dowel, 'GET', '/status');
    assert.match(status.text, /"circuitBreaker":"closed"/);
    const unknown = await admin(dowel, 'PUT', '/endpoints/other/circuit-breaker', { state: 'open' });
    assert.equal(unknown.status, 404);
    assert.match(unknown.text, /there are far/);
    const wrong = await admin(dowel, 'PUT', '/endpoints/far/circuit-breaker', { state: 'shut' });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /open.*off.*reset/);
  });

  test('the level of the log is changed while it is written', async (t) => {
    const far = await service(t, (_, response) => response.writeHead(200).end());
    const project = new Project(t, { 'integration.yaml': yaml(far) });
    await using dowel = await startDowel(project.path('integration.yaml'), { env: { TOKEN: token } });
    await fetch(`${dowel.url}/ask`);
    assert.equal(dowel.logged('step done'), undefined);
    assert.deepEqual((await admin(dowel, 'PUT', '/log-level', { level: 'debug' })).body, { level: 'debug' });
    await fetch(`${dowel.url}/ask`);
    await dowel.until('a line of a step', () => dowel.logged('step done') !== undefined);
    assert.equal((await admin(dowel, 'PUT', '/log-level', { level: 'loud' })).status, 400);
  });
});
