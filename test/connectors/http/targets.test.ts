import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { seededRandom } from '../../../src/core/random.ts';
import { eventually } from '../../support/eventually.ts';
import { answer, calling, counted, logged, named, run } from './several-targets.ts';
import { post, problemOf, type Service, startIntegration, startRawService, startService } from './support.ts';

/** Stops a service as a crash does, and starts it again on its port. */
async function crash({ server }: Service): Promise<void> {
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
}
const restart = ({ server, port }: Service): Promise<void> =>
  new Promise((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });

test('calls go to all targets in turn, each with the path of its own URL', async (t) => {
  const [a, b] = await Promise.all([named(t, 'a'), named(t, 'b')]);
  const running = await startIntegration(t, calling('method: GET, path: /x', `urls: ["${a.url}/v1", "${b.url}/v2/"]`));
  const answers = [await run(running), await run(running), await run(running), await run(running)];
  assert.deepEqual(answers.map((one) => `${one['name']} ${one['url']}`).sort(), [
    'a /v1/x',
    'a /v1/x',
    'b /v2/x',
    'b /v2/x',
  ]);
});

test('by weight, and not at all with weight 0', async (t) => {
  const [a, b, c] = await Promise.all([named(t, 'a'), named(t, 'b'), named(t, 'c')]);
  const running = await startIntegration(
    t,
    calling(
      'method: GET',
      `loadBalance: weighted, urls: [ { url: "${a.url}", weight: 90 }, { url: "${b.url}", weight: 10 }, { url: "${c.url}", weight: 0 } ]`,
    ),
    { random: seededRandom(3) },
  );
  const { a: most = 0, b: few = 0, c: none } = await counted(running, 400);
  assert.equal(none, undefined);
  // Expected 40 with a standard deviation of 6.
  assert.ok(few > 18 && few < 62 && most + few === 400, `${most} and ${few}`);
});

test('a slow target gets no second call while others are idle', async (t) => {
  const held: ServerResponse[] = [];
  const slow = await startRawService(t, (_, response) => void held.push(response));
  const quick = await named(t, 'quick');
  const running = await startIntegration(
    t,
    calling('method: GET', `loadBalance: leastPending, urls: ["${slow.url}", "${quick.url}"]`),
  );
  const first = run(running);
  await eventually('the slow target is asked', () => held.length === 1);
  assert.deepEqual(await counted(running, 20), { quick: 20 });
  for (const response of held) answer(response, { name: 'slow' });
  assert.equal((await first)['name'], 'slow');
});

test('failover: the second takes calls while the first is down, and the first again when it is back', async (t) => {
  const [a, b] = await Promise.all([named(t, 'a'), named(t, 'b')]);
  const running = await startIntegration(
    t,
    calling(
      'method: GET',
      `loadBalance: failover, urls: ["${a.url}", "${b.url}"], ejection: { pause: 20ms, maxPause: 40ms }`,
      'retry: { maxAttempts: 2, delay: 1ms }',
    ),
  );
  assert.deepEqual(await counted(running, 3), { a: 3 });
  await crash(a);
  assert.deepEqual(await counted(running, 5), { b: 5 });
  const [ejected] = logged(running, 'target ejected');
  assert.equal(ejected?.['code'], 'connection');
  assert.equal(ejected?.['at'], `127.0.0.1:${a.port}`);
  await restart(a);
  await eventually('the first is back', async () => (await run(running))['name'] === 'a');
  assert.equal(logged(running, 'target is back').length, 1);
  assert.deepEqual(await counted(running, 3), { a: 3 });
});

test('while one of three targets crashes and comes back under load, no call that may be repeated fails', async (t) => {
  const services = await Promise.all([named(t, 'a'), named(t, 'b'), named(t, 'c')]);
  const [first] = services;
  assert.ok(first);
  const urls = services.map((one) => `"${one.url}"`).join(', ');
  const running = await startIntegration(
    t,
    calling(
      'method: GET',
      `urls: [${urls}], ejection: { pause: 20ms, maxPause: 100ms }`,
      'retry: { maxAttempts: 3, delay: 1ms }',
    ),
  );

  let going = true;
  let done = 0;
  const client = async (): Promise<void> => {
    while (going) {
      await run(running);
      done++;
    }
  };
  const clients = Promise.all(Array.from({ length: 16 }, client));
  const more = (calls: number): Promise<void> => {
    const until = done + calls;
    return Promise.race([
      eventually('the load goes on', () => done >= until, 30_000),
      clients.then(() => assert.fail('the load ended')),
    ]);
  };
  await more(100);
  await crash(first);
  await more(300);
  assert.ok(logged(running, 'target ejected').length >= 1);
  await restart(first);
  const before = first.requests.length;
  await eventually('the first takes its part again', () => first.requests.length > before + 20, 30_000);
  going = false;
  await clients;
});

test('a target that answers 5xx several times in a row is ejected; when all do, all go on being tried', async (t) => {
  let ill = true;
  const serve = (name: string) =>
    startService(t, (_, response) => (ill ? answer(response, {}, 500) : answer(response, { name })));
  const [a, b] = await Promise.all([serve('a'), serve('b')]);
  const running = await startIntegration(
    t,
    calling('method: GET', `urls: ["${a.url}", "${b.url}"], ejection: { failures: 2, pause: 1h, maxPause: 1h }`),
  );
  const failing = async (): Promise<void> => {
    assert.equal(problemOf(await post(`${running.url}/run`, {})).code, 'http-500');
  };
  for (let turn = 0; turn < 4; turn++) await failing();
  assert.deepEqual(
    logged(running, 'target ejected').map((one) => one['code']),
    ['http-500', 'http-500'],
  );
  const before = [a.requests.length, b.requests.length];
  for (let turn = 0; turn < 4; turn++) await failing();
  assert.deepEqual(
    [a.requests.length, b.requests.length],
    before.map((count) => count + 2),
  );
  ill = false;
  await run(running);
  assert.equal(logged(running, 'target is back').length, 1);
});

test('a target that lets calls time out is ejected; the caller who gives up says nothing about it', async (t) => {
  const silent = await startRawService(t, () => {});
  const quick = await named(t, 'quick');
  const running = await startIntegration(
    t,
    calling(
      'method: GET',
      `loadBalance: failover, urls: ["${silent.url}", "${quick.url}"], ejection: { failures: 2, pause: 1h, maxPause: 1h }`,
      'timeout: 500ms',
    ),
  );
  assert.equal(problemOf(await post(`${running.url}/run`, {}, { 'x-request-deadline-ms': '10' })).code, 'deadline');
  for (const _ of [1, 2]) assert.equal(problemOf(await post(`${running.url}/run`, {})).code, 'timeout');
  assert.deepEqual(await counted(running, 3), { quick: 3 });
  assert.deepEqual(
    logged(running, 'target ejected').map((one) => one['code']),
    ['timeout'],
  );
});

test('a call names its target by an expression; one that yields nothing leaves it to the weights', async (t) => {
  const [stable, canary] = await Promise.all([named(t, 'stable'), named(t, 'canary')]);
  const running = await startIntegration(
    t,
    calling(
      `method: GET, target: "\${{ $headers.'x-tenant' = 'acme' ? 'canary' : $headers.'x-target' }}"`,
      `loadBalance: weighted, urls: [ { name: stable, url: "${stable.url}" }, { name: canary, url: "${canary.url}", weight: 0 } ]`,
    ),
  );
  const nameFor = async (headers: Readonly<Record<string, string>>) =>
    ((await post(`${running.url}/run`, {}, headers)).json as { readonly name: string }).name;
  assert.equal(await nameFor({ 'x-tenant': 'acme' }), 'canary');
  assert.equal(await nameFor({ 'x-tenant': 'other' }), 'stable');
  assert.equal(await nameFor({ 'x-target': 'canary' }), 'canary');
  for (const unknown of [canary.url, 'Canary', '']) {
    const { status, code, outcome, detail } = problemOf(await post(`${running.url}/run`, {}, { 'x-target': unknown }));
    assert.deepEqual([status, code, outcome], [400, 'bad-request', 'none'], unknown);
    assert.match(detail, /which this endpoint does not know; the names are `stable`, `canary`/);
  }
});

test('a named target that is down takes its calls nevertheless: another one would be a wrong answer', async (t) => {
  const [stable, canary] = await Promise.all([named(t, 'stable'), named(t, 'canary')]);
  const running = await startIntegration(
    t,
    calling(
      'method: GET, target: canary',
      `urls: [ { name: stable, url: "${stable.url}" }, { name: canary, url: "${canary.url}" } ]`,
      'retry: { maxAttempts: 2, delay: 1ms }',
    ),
  );
  await crash(canary);
  assert.equal(problemOf(await post(`${running.url}/run`, {})).code, 'connection');
  assert.equal(stable.requests.length, 0);
  await restart(canary);
  assert.equal((await run(running))['name'], 'canary');
});

test('an endpoint with one URL has no targets to choose from', async (t) => {
  const far = await named(t, 'far');
  const running = await startIntegration(t, calling('method: GET, target: canary', `url: "${far.url}"`));
  assert.equal(problemOf(await post(`${running.url}/run`, {})).code, 'bad-request');
  assert.equal(far.requests.length, 0);
});

test('a target whose probe fails gets no calls until one succeeds', async (t) => {
  let ill = false;
  const probes: string[] = [];
  const a = await startService(t, ({ url, headers }, response) => {
    if (url !== '/v1/health') return answer(response, { name: 'a' });
    probes.push(String(headers['authorization']));
    answer(response, {}, ill ? 503 : 204);
  });
  const b = await startService(t, (_, response) => answer(response, { name: 'b' }));
  const running = await startIntegration(
    t,
    calling(
      'method: GET, path: /x',
      `urls: ["${a.url}/v1", "${b.url}"], auth: { bearer: { token: t1 } }, healthCheck: { path: /health, every: 100ms }`,
    ),
  );
  await eventually('it is asked', () => probes.length > 0);
  assert.equal(probes[0], 'Bearer t1');
  assert.deepEqual(await counted(running, 4), { a: 2, b: 2 });
  ill = true;
  await eventually('it is ejected', () => logged(running, 'target ejected').length === 1);
  assert.deepEqual(await counted(running, 4), { b: 4 });
  ill = false;
  await eventually('it is back', () => logged(running, 'target is back').length === 1);
  assert.deepEqual(await counted(running, 4), { a: 2, b: 2 });
});

test('where every probe fails the calls are shared as if none did', async (t) => {
  const serve = (name: string): Promise<Service> =>
    startService(t, ({ url }, response) =>
      url === '/health' ? answer(response, {}, 404) : answer(response, { name }),
    );
  const [a, b] = await Promise.all([serve('a'), serve('b')]);
  const running = await startIntegration(
    t,
    calling('method: GET', `urls: ["${a.url}", "${b.url}"], healthCheck: { path: /health, every: 100ms }`),
  );
  await eventually('both are ejected', () => logged(running, 'target ejected').length === 2);
  assert.deepEqual(await counted(running, 6), { a: 3, b: 3 });
  assert.equal(logged(running, 'target is back').length, 0);
});
