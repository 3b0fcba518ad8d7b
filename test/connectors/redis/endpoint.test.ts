import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Body } from '#sdk';
import type { RedisEndpointOptions } from '../../../connectors/redis/definition.ts';
import { Life } from '../../../src/core/life.ts';
import type { FileSource } from '../../../src/core/written.ts';
import { withPackage } from '../../support/debian-server.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { outgoing, type PlainContext } from '../../support/plain-context.ts';
import { RedisServer, redisProgram } from '../../support/redis-server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { fresh, openedEndpoint, outsider } from './support.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url));
const file = (name: string): FileSource => ({ pointer: '', path: name, text: readFileSync(fixture(name), 'utf8') });

withPackage('redis-server', redisProgram, 'redis endpoint', () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server[Symbol.asyncDispose]());

  const message = (context: PlainContext, operation: object = {}, value: unknown = { n: 1 }, headers = {}) =>
    outgoing(context, { body: Body.value(value), ownHeaders: headers, operation });

  test('a message becomes an entry: its body, its type and its headers as fields', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    const { it, context } = await openedEndpoint(t, { url: server.url, stream });
    assert.equal(await it.handle(message(context, {}, { n: 1 }, { traceparent: '00-a', tag: ['a', 'b'] })), undefined);
    const bytes = Buffer.from([0, 255, 1]);
    const raw = outgoing(context, { body: Body.bytes(bytes, 'application/x-raw') });
    await it.handle(raw);
    const entries = (await far.command('XRANGE', stream, '-', '+')) as unknown as readonly (readonly [
      string,
      readonly string[],
    ])[];
    assert.deepEqual(entries[0]?.[1], [
      'content-type',
      'application/json',
      'traceparent',
      '00-a',
      'tag',
      'a, b',
      'body',
      '{"n":1}',
    ]);
    assert.deepEqual(entries[1]?.[1].slice(0, 3), ['content-type', 'application/x-raw', 'body']);
  });

  test('the step chooses the stream; a stream keeps about `maxLength` entries', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    const { it, context } = await openedEndpoint(t, {
      url: server.url,
      stream: 'unused',
      maxLength: 100,
      bodyField: 'd',
    });
    for (let n = 0; n < 500; n++) await it.handle(message(context, { stream }, n));
    const length = Number(await far.command('XLEN', stream));
    assert.ok(length >= 100 && length < 400, `${length} entries`);
  });

  test('publishes to a channel; too few receivers are said', async (t) => {
    const far = await outsider(t, server);
    const channel = fresh('channel');
    const { it, context } = await openedEndpoint(t, { url: server.url, channel });
    await it.handle(message(context));
    await assert.rejects(it.handle(message(context, { channel, minReceivers: 1 })), {
      code: 'unroutable',
      message: 'events has nobody to give the message to: 0 listen to the channel, 1 were asked for',
    });
    const listener = far.client.duplicate();
    await listener.connect();
    t.after(() => listener.destroy());
    const got: string[] = [];
    await listener.subscribe(channel, (text) => got.push(String(text)));
    await it.handle(message(context, { channel, minReceivers: 1 }, 'x'));
    await eventually('it came', () => got.length === 1);
    assert.deepEqual(got, ['x']);
  });

  test('what cannot be a name, and a header in the place of the body, never reaches the server', async (t) => {
    const { it, context } = await openedEndpoint(t, { url: server.url });
    for (const stream of ['', 'a b', 'a\r\nX', {}, undefined]) {
      await assert.rejects(it.handle(message(context, { stream })), {
        code: 'bad-request',
        message: /^The message cannot be sent: /,
      });
    }
    await assert.rejects(it.handle(message(context, { stream: 's' }, 1, { body: 'x' })), {
      code: 'bad-request',
      message: /the header `body` would be the body/,
    });
  });

  test('a full memory is said, for now; a key of another kind for good', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    const { it, context } = await openedEndpoint(t, { url: server.url, stream });
    await far.command('CONFIG', 'SET', 'maxmemory', '1');
    await assert.rejects(it.handle(message(context)), {
      code: 'refused',
      kind: 'transient',
      message: 'events did not take the message: the memory of the server is full (OOM)',
    });
    await far.command('CONFIG', 'SET', 'maxmemory', '0');
    await far.command('SET', stream, 'text');
    await assert.rejects(it.handle(message(context)), { code: 'refused', kind: 'permanent', message: /\(WRONGTYPE\)/ });
  });

  test('a server that has become a replica takes nothing, and the connection is made again', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    const { it, context } = await openedEndpoint(t, { url: server.url, stream });
    await far.command('REPLICAOF', '127.0.0.1', String(await freePort()));
    await assert.rejects(it.handle(message(context)), { code: 'refused', kind: 'transient', message: /is a replica/ });
    await far.command('REPLICAOF', 'NO', 'ONE');
    await it.handle(message(context));
    assert.equal(Number(await far.command('XLEN', stream)), 1);
  });

  test('users: the right one gets in, a wrong one ends the start, and what it may not do is said', async (t) => {
    const far = await outsider(t, server);
    await far.command('ACL', 'SETUSER', 'billing', 'on', '>s3cret', '~orders*', '+@all');
    const options = { url: server.url, stream: 'orders', username: 'billing', password: 's3cret' };
    const { it, context } = await openedEndpoint(t, options);
    await it.handle(message(context));
    const inUrl = { url: `redis://billing:s3cret@127.0.0.1:${server.port}`, stream: 'orders' };
    await (await openedEndpoint(t, inUrl)).it.handle(message(context));
    await assert.rejects(it.handle(message(context, { stream: 'others' })), {
      code: 'refused',
      kind: 'permanent',
      message: /the user has no permission for this command or key/,
    });
    await assert.rejects(
      openedEndpoint(t, { ...options, password: 's3cret2' }),
      (thrown: Error & { code?: string }) => {
        assert.equal(thrown.code, 'startup');
        assert.match(
          thrown.message,
          /^Redis at 127\.0\.0\.1:\d+ could not be opened: the server refuses us: look at `username`/,
        );
        assert.doesNotMatch(thrown.message, /s3cret/);
        return true;
      },
    );
  });

  test('TLS: the authority is trusted, the name is checked, and our certificate is shown', async (t) => {
    const port = await freePort();
    const pem = { cert: fixture('localhost.cert.pem'), key: fixture('localhost.key.pem') };
    await using secure = await RedisServer.start(
      ...['--tls-port', `${port}`, '--tls-cert-file', pem.cert, '--tls-key-file', pem.key],
      ...['--tls-ca-cert-file', pem.cert, '--tls-auth-clients', 'yes'],
    );
    assert.notEqual(secure.port, port);
    const trusting = { rejectUnauthorized: true, ca: file('localhost.cert.pem') };
    const own = { ...trusting, cert: file('localhost.cert.pem'), key: file('localhost.key.pem') };
    const url = `rediss://localhost:${port}`;
    const { it, context } = await openedEndpoint(t, { url, tls: own, stream: 's' });
    await it.handle(message(context));
    const refused = (options: Partial<RedisEndpointOptions>, says: RegExp) =>
      assert.rejects(openedEndpoint(t, options), { code: 'startup', message: says });
    await refused({ url }, /its certificate is signed by itself: name it as `tls\.ca`/);
    await refused({ url, tls: { ...own, servername: 'elsewhere.example' } }, /certificate is for another host/);
  });

  test('a server without a password, or without that database, is said', async (t) => {
    await assert.rejects(openedEndpoint(t, { url: `${server.url}/999` }), { message: /no such database/ });
    await assert.rejects(openedEndpoint(t, { url: server.url, password: 'x' }), {
      message: /the server has no password|the server refuses us/,
    });
  });

  test('while there is no connection a call waits for it, and was not sent when its time is over', async (t) => {
    const far = await outsider(t, server);
    await using proxy = await TcpProxy.before(server.port);
    await proxy.down();
    const stream = fresh();
    const { it, context } = await openedEndpoint(t, { url: `redis://127.0.0.1:${proxy.port}`, stream });
    assert.equal(it.ready, false);
    const { clock } = context;
    const life = new Life(clock, { deadline: clock.monotonic() + 50 });
    await assert.rejects(it.handle(message(context).withLife(life)), {
      code: 'connection',
      facts: { endpoint: 'events', detail: 'nobody listens there (ECONNREFUSED)', sent: false },
    });
    const patient = it.handle(message(context));
    await proxy.up();
    await patient;
    assert.equal(Number(await far.command('XLEN', stream)), 1);
    assert.deepEqual(
      context.log.lines.map((line) => line.message),
      ['not connected; it is tried again', 'connected'],
    );
  });

  test('what is under way when the connection breaks or falls silent has an unknown outcome', async (t) => {
    await using proxy = await TcpProxy.before(server.port);
    const options = { url: `redis://127.0.0.1:${proxy.port}`, stream: fresh(), heartbeat: 150 };
    const { it, context } = await openedEndpoint(t, options);
    await it.handle(message(context));
    proxy.mute();
    await assert.rejects(it.handle(message(context)), (thrown: { code: string; facts: { sent: boolean } }) => {
      assert.equal(thrown.code, 'connection');
      assert.equal(thrown.facts.sent, true);
      return true;
    });
    await it.handle(message(context));
    assert.equal(it.ready, true);
  });
});
