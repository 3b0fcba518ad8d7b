import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { usualPatience } from '../../../connectors/http/patience.ts';
import { HttpServer } from '../../../connectors/http/server.ts';
import { openSource } from '../../../connectors/http/source.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { listens } from '../../support/listens.ts';
import { plainContext, sharing } from '../../support/plain-context.ts';
import { integrationOf, post, problemOf, RawClient, request, startIntegration, startRawService } from './support.ts';

const answering = (text: string): string =>
  integrationOf({ main: { from: 'http: { method: [GET, POST], path: /a }', steps: `- respond: { body: ${text} }` } });

const calling = (url: string): string =>
  integrationOf(
    {
      main: {
        from: 'http: { method: [GET, POST], path: /a }',
        steps: '- call: { endpoint: far, http: { method: GET } }',
      },
    },
    `far:\n  http: { url: "${url}" }`,
  );

const get = (path = '/a'): string => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`;

/** A service whose answers the test gives. */
async function heldService(t: Parameters<typeof startRawService>[0]) {
  const waiting: (() => void)[] = [];
  const service = await startRawService(t, (_, response) => {
    waiting.push(() => response.writeHead(200, { 'content-type': 'text/plain' }).end('done'));
  });
  return { ...service, waiting };
}

test('connections are kept between requests', async (t) => {
  const { port } = await startIntegration(t, answering('one'));
  const client = await RawClient.connect(t, port);
  for (let i = 0; i < 3; i++) {
    client.send(get());
    const reply = await client.reply();
    assert.deepEqual([reply.status, reply.headers['connection']], [200, 'keep-alive']);
  }
});

test('stopping closes idle connections, finishes what is under way with Connection: close, and refuses new clients', async (t) => {
  const far = await heldService(t);
  const { port, runtime } = await startIntegration(t, calling(far.url));
  const idle = await RawClient.connect(t, port);
  const fresh = await RawClient.connect(t, port);
  const busy = await RawClient.connect(t, port);
  busy.send(get());
  idle.send(get());
  await eventually('both are under way', () => far.waiting.length === 2);
  far.waiting.pop()?.();
  const first = await Promise.race([idle.reply().then(() => idle), busy.reply().then(() => busy)]);
  const [atRest, atWork] = first === idle ? [idle, busy] : [busy, idle];
  const stopped = runtime.stop(10_000);
  await atRest.closed;
  await fresh.closed;
  await assert.rejects(post(`http://127.0.0.1:${port}/a`, {}));
  assert.equal(runtime.inFlight, 1);
  far.waiting.pop()?.();
  const last = await atWork.reply();
  assert.deepEqual([last.text, last.headers['connection']], ['done', 'close']);
  await atWork.closed;
  assert.equal(await stopped, 0);
});

test('a request that comes on an open connection after the stop is told so', async (t) => {
  const far = await heldService(t);
  const { port, runtime } = await startIntegration(t, calling(far.url));
  const client = await RawClient.connect(t, port);
  client.send(get());
  await eventually('it is under way', () => far.waiting.length === 1);
  const stopped = runtime.stop(10_000);
  await eventually('the port is closed', async () => !(await listens(port)));
  client.send(get());
  far.waiting.pop()?.();
  assert.equal((await client.reply()).text, 'done');
  await stopped;
  await client.closed;
});

test('a request that was on its way when the stop came is served: on a kept connection, and on a new one', async (t) => {
  const { port, runtime } = await startIntegration(t, answering('one'));
  const kept = await RawClient.connect(t, port);
  kept.send(get());
  assert.equal((await kept.reply()).status, 200);
  const idle = await RawClient.connect(t, port);
  const stopped = runtime.stop(10_000);
  kept.send(get());
  const late = await kept.reply();
  assert.deepEqual([late.status, late.text, late.headers['connection']], [200, '"one"', 'close']);
  await kept.closed;
  const fresh = await RawClient.connect(t, port);
  fresh.send(get());
  assert.deepEqual([(await fresh.reply()).headers['connection']], ['close']);
  // Nobody asks any more: who is connected and silent does not hold it up.
  await idle.closed;
  assert.equal(await stopped, 0);
});

test('a route that a reload takes away is gone at once, while the port stays open for the others', async (t) => {
  const { port, swap } = await startIntegration(
    t,
    integrationOf({
      a: { from: 'http: { method: GET, path: /a }', steps: '- respond: { status: 200 }' },
      b: { from: 'http: { method: GET, path: /b }', steps: '- respond: { status: 200 }' },
    }),
  );
  const next = integrationOf({ b: { from: 'http: { method: GET, path: /b }', steps: '- respond: { status: 200 }' } });
  await swap(next);
  assert.equal((await request(`http://127.0.0.1:${port}/a`)).status, 404);
  const client = await RawClient.connect(t, port);
  client.send(get('/b'));
  const { status, headers } = await client.reply();
  assert.deepEqual([status, headers['connection']], [200, 'keep-alive']);
});

test('what hangs when the time for draining is over is answered and given up', async (t) => {
  const far = await heldService(t);
  const { port, runtime } = await startIntegration(t, calling(far.url));
  const client = await RawClient.connect(t, port);
  client.send(get());
  await eventually('it is under way', () => far.waiting.length === 1);
  assert.equal(await runtime.stop(20), 1);
  const reply = await client.reply();
  assert.deepEqual([reply.status, problemOf(reply).code, reply.headers['connection']], [503, 'aborted', 'close']);
  await client.closed;
  await eventually('the call is cancelled', () => far.sockets.size === 0);
});

test('an answer that a slow client is still reading survives the stop', async (t) => {
  const { port, runtime, log } = await startIntegration(
    t,
    integrationOf({
      main: { from: 'http: { path: /a, maxBody: 20mb }', steps: '- log: { message: "got ${{ $length($) }}" }' },
    }),
  );
  const client = await RawClient.connect(t, port);
  client.socket.pause();
  const size = 8_000_000;
  client.send(`POST /a HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\ncontent-length: ${size}\r\n\r\n`);
  client.socket.write('x'.repeat(size));
  await eventually(
    'the flow is done',
    () => log.lines.some((line) => line.message === `got ${size}`) && runtime.inFlight === 0,
  );
  const stopped = runtime.stop(10_000);
  await eventually('the port is closed', async () => !(await listens(port)));
  client.socket.resume();
  assert.equal((await client.reply()).text.length, size);
  await stopped;
});

test('a client that never reads its answer is cut in the end, and the stop does not wait for it', async (t) => {
  const { share } = sharing();
  const context = plainContext({ clock: systemClock, share });
  const { host, port } = context.server;
  const shared = share(
    `http:${host}:${port}`,
    () =>
      new HttpServer({
        host,
        port,
        services: context.services,
        log: context.log,
        patience: { ...usualPatience, stall: 50, farewell: 50 },
      }),
  );
  t.after(() => shared.release());
  const source = await openSource(
    { path: '/a', method: 'POST', maxBody: 100_000_000 },
    {
      ...context,
      needsWholeBody: true,
      deliver: async (message) => {
        const { outgoing } = await import('../../support/plain-context.ts');
        return outgoing(context, { body: message.body });
      },
    },
  );
  const server = shared.value;
  const size = 30_000_000;
  const deaf = async (): Promise<RawClient> => {
    const client = await RawClient.connect(t, server.address?.port ?? 0);
    client.socket.pause();
    client.send(`POST /a HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\ncontent-length: ${size}\r\n\r\n`);
    client.socket.write(Buffer.alloc(size, 'x'));
    return client;
  };
  await deaf();
  await eventually('it is connected', () => server.connections === 1);
  await eventually('it is cut', () => server.connections === 0);
  await deaf();
  await eventually('it is connected', () => server.connections === 1);
  await source.stop();
  await source.close();
  await shared.release();
  await eventually('no connection is left', () => server.connections === 0);
});

test('a new version takes over the port: no request is refused or lost, old ones finish on the old one', async (t) => {
  const far = await heldService(t);
  const running = await startIntegration(t, calling(far.url));
  const old = post(`${running.url}/a`, {});
  await eventually('it is under way', () => far.waiting.length === 1);
  const swapped = running.swap(answering('new'));
  await eventually(
    'the new one answers',
    async () => (await post(`${running.url}/a`, {}).catch(() => undefined))?.text === '"new"',
  );
  far.waiting.pop()?.();
  assert.equal((await old).text, 'done');
  await swapped;
  assert.equal(running.log.lines.filter((line) => line.message === 'listening').length, 1);
});

test('a port that a version gave up is opened again for the next, while a request of the first is still under way', async (t) => {
  const far = await heldService(t);
  const [first, second] = [await freePort(), await freePort()];
  const on = (port: number, yaml: string): string => yaml.replace('port: 0', `port: ${port}`);
  const asked = (port: number): Promise<string | undefined> =>
    post(`http://127.0.0.1:${port}/a`, {}).then(
      ({ text }) => text,
      () => undefined,
    );
  const running = await startIntegration(t, on(first, calling(far.url)));
  const old = asked(first);
  await eventually('it is under way', () => far.waiting.length === 1);
  const away = running.swap(on(second, answering('there')));
  await eventually('the other port answers', async () => (await asked(second)) === '"there"');
  await eventually('the first is closed', async () => !(await listens(first)));
  const back = running.swap(on(first, answering('back')));
  await eventually('the first answers again', async () => (await asked(first)) === '"back"');
  far.waiting.pop()?.();
  assert.equal(await old, 'done');
  await Promise.all([away, back]);
  assert.equal(await asked(first), '"back"');
  assert.equal(await running.runtime.stop(10_000), 0);
  assert.equal(await listens(first), false);
});

test('under load, twenty changes of version lose no request', async (t) => {
  const running = await startIntegration(t, answering('"0"'));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  t.after(() => agent.destroy());
  const seen = new Set<string>();
  const failed: unknown[] = [];
  let going = true;
  const clients = Array.from({ length: 8 }, async (_, index) => {
    while (going) {
      // Half of them connect anew each time.
      const reply = await request(`${running.url}/a`, index % 2 ? { agent } : {}).catch((error: unknown) => error);
      if (reply instanceof Error || (reply as { status: number }).status !== 200) failed.push(reply);
      else seen.add((reply as { text: string }).text);
    }
  });
  for (let i = 1; i <= 20; i++) {
    await running.swap(answering(`"${i}"`));
    await eventually(`version ${i} answers`, () => seen.has(`"${i}"`));
  }
  going = false;
  await Promise.all(clients);
  assert.deepEqual(failed, []);
  assert.ok(seen.size >= 20);
});

test('a version that cannot be opened changes nothing', async (t) => {
  const running = await startIntegration(t, answering('old'));
  const taken = await startRawService(t, () => {});
  const broken = answering('new').replace('port: 0', `port: ${taken.port}`);
  await assert.rejects(running.swap(broken), /another process uses it/);
  assert.equal((await post(`${running.url}/a`, {})).text, '"old"');
});

test('routes that a new version does not have are gone', async (t) => {
  const running = await startIntegration(t, answering('old'));
  await running.swap(answering('new').replace('/a', '/b'));
  assert.equal((await post(`${running.url}/a`, {})).status, 404);
  assert.equal((await post(`${running.url}/b`, {})).text, '"new"');
});

test('a port that is taken is a failed start that says what to do', async (t) => {
  const taken = await startRawService(t, () => {});
  await assert.rejects(
    startIntegration(t, answering('x').replace('port: 0', `port: ${taken.port}`)),
    (error: Error) => error.message.includes(`Port ${taken.port}`) && error.message.includes('server.port'),
  );
});

test('more requests than a flow takes are refused at once, with Retry-After', async (t) => {
  const far = await heldService(t);
  const { url } = await startIntegration(
    t,
    integrationOf(
      {
        main: {
          from: 'http: { path: /a }',
          more: 'concurrency: 2',
          steps: '- call: { endpoint: far, http: { method: GET } }',
        },
      },
      `far:\n  http: { url: "${far.url}" }`,
    ),
  );
  const held = [post(`${url}/a`, {}), post(`${url}/a`, {})];
  await eventually('two are under way', () => far.waiting.length === 2);
  const refused = await post(`${url}/a`, {});
  assert.deepEqual([refused.status, problemOf(refused).code, refused.headers['retry-after']], [503, 'overloaded', '1']);
  for (const answer of far.waiting) answer();
  assert.deepEqual(
    (await Promise.all(held)).map((one) => one.status),
    [200, 200],
  );
});
