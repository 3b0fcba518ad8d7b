import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http, { type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { Resolver } from '../../../connectors/http/resolver.ts';
import { eventually } from '../../support/eventually.ts';
import { answer, calling, counted, logged, run } from './several-targets.ts';
import { post, problemOf, startIntegration, startRawService } from './support.ts';

/** A service on a loopback address of its own. */
async function at(t: TestContext, address: string, port: number): Promise<number> {
  const server = http.createServer((request, response) =>
    answer(response, { name: address, host: request.headers.host }),
  );
  await new Promise<void>((resolve) => {
    server.listen(port, address, resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const bound = server.address();
  return typeof bound === 'object' && bound ? bound.port : 0;
}

test('each address of a name is a target; they come and go with the name, and stay when it does not resolve', async (t) => {
  const port = await at(t, '127.0.0.2', 0);
  await at(t, '127.0.0.3', port);
  let addresses: readonly string[] | undefined = ['127.0.0.2'];
  let asked = 0;
  const resolver: Resolver = {
    addresses: async (name) => {
      asked++;
      assert.equal(name, 'orders.internal');
      if (!addresses) throw new Error('ENOTFOUND');
      return addresses.map((address) => ({ address, family: 4 }));
    },
    services: () => Promise.reject(new Error('not asked for')),
  };
  const running = await startIntegration(
    t,
    calling('method: GET', `url: "http://orders.internal:${port}", dns: { every: 100ms }`),
    { resolver },
  );
  const only = await run(running);
  assert.deepEqual(only, { name: '127.0.0.2', host: `orders.internal:${port}` });
  const changes = () => logged(running, 'targets changed').length;
  addresses = ['127.0.0.2', '127.0.0.3'];
  await eventually('the second has come', () => changes() === 2);
  assert.deepEqual(await counted(running, 4), { '127.0.0.2': 2, '127.0.0.3': 2 });
  addresses = ['127.0.0.3'];
  await eventually('the first has gone', () => changes() === 3);
  assert.deepEqual(await counted(running, 3), { '127.0.0.3': 3 });
  addresses = undefined;
  const before = asked;
  await eventually('the name is asked for in vain', () => asked > before + 2);
  assert.equal(logged(running, 'a name does not resolve').length, 1);
  assert.deepEqual(await counted(running, 3), { '127.0.0.3': 3 });
});

test('SRV records give host, port and priority; the name of the service stays the Host', async (t) => {
  const port = await at(t, '127.0.0.2', 0);
  const spare = await at(t, '127.0.0.3', 0);
  const resolver: Resolver = {
    addresses: async (name) => [{ address: name === 'one.internal' ? '127.0.0.2' : '127.0.0.3', family: 4 }],
    services: async (name) => {
      assert.equal(name, '_http._tcp.orders.internal');
      return [
        { name: 'one.internal', port, priority: 1, weight: 5 },
        { name: 'two.internal', port: spare, priority: 2, weight: 5 },
      ];
    },
  };
  const running = await startIntegration(
    t,
    calling('method: GET', 'url: "http://_http._tcp.orders.internal", dns: { records: srv }'),
    { resolver },
  );
  assert.deepEqual(await run(running), { name: '127.0.0.2', host: `orders.internal:${port}` });
  assert.deepEqual(await counted(running, 3), { '127.0.0.2': 3 });
});

test('a name that never resolved is the error `connection`, and nothing was sent; the next call asks again', async (t) => {
  const port = await at(t, '127.0.0.2', 0);
  let known = false;
  const resolver: Resolver = {
    addresses: async () => {
      if (!known) throw new Error('ENOTFOUND');
      return [{ address: '127.0.0.2', family: 4 }];
    },
    services: () => Promise.reject(new Error('not asked for')),
  };
  const running = await startIntegration(
    t,
    calling('method: POST', `url: "http://orders.internal:${port}", dns: { every: 1h }`),
    { resolver },
  );
  const { code, outcome } = problemOf(await post(`${running.url}/run`, {}));
  assert.deepEqual([code, outcome], ['connection', 'none']);
  known = true;
  assert.equal((await run(running))['name'], '127.0.0.2');
});

test('an address that has gone ends its calls first, and then its connections', async (t) => {
  const held: ServerResponse[] = [];
  const slow = await startRawService(t, (_, response) => void held.push(response));
  let addresses = ['127.0.0.1'];
  const resolver: Resolver = {
    addresses: async () => addresses.map((address) => ({ address, family: 4 })),
    services: () => Promise.reject(new Error('not asked for')),
  };
  const running = await startIntegration(
    t,
    calling('method: GET', `url: "http://orders.internal:${slow.port}", dns: { every: 100ms }`),
    { resolver },
  );
  const call = run(running);
  await eventually('it is asked', () => held.length === 1);
  addresses = ['127.0.0.9'];
  await eventually('it has gone', () => logged(running, 'targets changed').length === 2);
  assert.equal(slow.sockets.size, 1);
  for (const response of held) answer(response, { name: 'slow' });
  assert.equal((await call)['name'], 'slow');
  await eventually('its connection is closed', () => slow.sockets.size === 0);
});

const pem = (kind: 'cert' | 'key'): string =>
  readFileSync(new URL(`../../fixtures/tls/localhost.${kind}.pem`, import.meta.url), 'utf8');

test('a certificate is that of the name in the file, whatever name and address DNS gives', async (t) => {
  const server = https.createServer({ cert: pem('cert'), key: pem('key') }, ({ socket, headers }, response) =>
    answer(response, { name: (socket as TLSSocket).servername, host: headers.host }),
  );
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.2', resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const resolver: Resolver = {
    addresses: async () => [{ address: '127.0.0.2', family: 4 }],
    services: async () => [{ name: 'forged.example', port, priority: 1, weight: 1 }],
  };
  const files = { 'ca.pem': pem('cert') };
  for (const url of [`https://localhost:${port}", dns: {`, 'https://_https._tcp.localhost", dns: { records: srv']) {
    const text = calling('method: GET', `tls: { ca: ./ca.pem }, url: "${url} }`);
    const running = await startIntegration(t, text, { resolver, files });
    assert.deepEqual(await run(running), { name: 'localhost', host: `localhost:${port}` });
  }
  const other = calling(
    'method: GET',
    'tls: { ca: ./ca.pem }, url: "https://_https._tcp.example.org", dns: { records: srv }',
  );
  const running = await startIntegration(t, other, { resolver, files });
  assert.equal(problemOf(await post(`${running.url}/run`, {})).code, 'connection');
  assert.match(String(logged(running, 'a message failed')[0]?.['detail']), /altnames/);
});
