import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { systemClock, VirtualClock } from '../../src/core/clock.ts';
import { openStore } from '../../src/store/open.ts';
import type { RedisOptions, StoreOptions } from '../../src/store/options.ts';
import type { Store } from '../../src/store/store.ts';
import { withPackage } from '../support/debian-server.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { RedisServer, redisProgram } from '../support/redis-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { conformance } from './support/conformance.ts';
import { leases } from './support/leases.ts';
import { tryStore } from './support/model.ts';
import { has, onServer, refusing } from './support/on-a-server.ts';
import { shared } from './support/shared.ts';
import { failOnFatal, put, quietLog, written } from './support/subject.ts';

let count = 0;
const fresh = (server: RedisServer, options: Partial<RedisOptions> = {}): StoreOptions => ({
  redis: { url: server.url, prefix: `test-${count++}`, durability: 'always', timeout: 5_000, ...options },
});

const open = (options: StoreOptions, clock = systemClock): Promise<Store> =>
  openStore(options, { clock, log: quietLog, integration: 'test', folder: '/', onFatal: failOnFatal });

withPackage('redis-server', redisProgram, 'redis store', () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server[Symbol.asyncDispose]());

  const openFresh = onServer(() => fresh(server), open);

  conformance(openFresh);
  leases(openFresh);
  shared({ fresh: () => fresh(server), open, timeout: 5_000, server: () => server });

  test('random commands do what a map does', async () => {
    const subject = () => {
      const options = fresh(server);
      return { open: () => open(options), survives: true, ordered: true };
    };
    await tryStore(subject, { trials: 20, length: 80 });
  });

  test('what has expired is removed, by whoever writes and in the background', async (t) => {
    const clock = new VirtualClock();
    const options = fresh(server);
    const store = await open(options, clock);
    t.after(() => store.close());
    const library = await import('@redis/client');
    const client = library.createClient({ url: server.url });
    await client.connect();
    t.after(() => client.close());
    const prefix = `{${options.redis?.prefix}}`;
    const sizes = async (): Promise<readonly number[]> => [
      await client.hLen(`${prefix}m:test`),
      await client.hLen(`${prefix}v:test`),
      await client.zCard(`${prefix}o:test`),
      await client.zCard(`${prefix}x`),
    ];
    const expired = async (): Promise<boolean> => (await store.list('test', { limit: 1 })).entries.length === 0;

    await written(store, ...Array.from({ length: 200 }, (_, i) => put(`${i}`, 'x', { ttl: 50 })));
    assert.deepEqual(await sizes(), [200, 200, 200, 200]);
    await eventually('all have expired', expired);
    for (let i = 0; i < 70; i++) await written(store, put('other', 'x', {}, 'other'));
    assert.deepEqual(await sizes(), [0, 0, 0, 0]);

    await written(store, ...Array.from({ length: 200 }, (_, i) => put(`${i}`, 'x', { ttl: 50 })));
    await eventually('all have expired', expired);
    await clock.advance(1_000);
    await eventually('the background has removed them', async () => (await sizes()).every((size) => size === 0));
  });

  describe('opening', () => {
    const refuses = refusing(open);

    test('a server that is not there is said to be so, with its address', async () => {
      const port = await freePort();
      await refuses(
        { redis: { url: `redis://:secret@127.0.0.1:${port}`, durability: 'always', timeout: 5_000 } },
        /127\.0\.0\.1:\d+.*ECONNREFUSED/,
      );
    });

    test('a wrong password is', async () => {
      await using locked = await RedisServer.start('--requirepass', 'right');
      await refuses(fresh(locked), /NOAUTH/);
      await refuses(fresh(locked, { password: 'secret' }), /WRONGPASS/);
      await using store = await open(fresh(locked, { password: 'right' }));
      await written(store, put('a'));
    });

    const lossy: Readonly<Record<string, readonly string[]>> = {
      'appendonly yes': ['--appendonly', 'no'],
      'appendfsync always': ['--appendfsync', 'everysec'],
      'no-appendfsync-on-rewrite no': ['--no-appendfsync-on-rewrite', 'yes'],
      'maxmemory-policy noeviction': ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'],
    };
    for (const [needed, settings] of Object.entries(lossy)) {
      test(`a server without \`${needed}\` is refused, unless the file accepts its losses`, async () => {
        await using other = await RedisServer.start(...settings);
        await refuses(fresh(other), new RegExp(`${needed}.*durability: server`));
        await using store = await open(fresh(other, { durability: 'server' }));
        assert.equal(store.durable, false);
        await written(store, put('a'));
      });
    }

    test('a server that may not be asked how durable it is is refused', async () => {
      await using other = await RedisServer.start('--user', 'dowel', 'on', '>right', '~*', '+@all', '-config');
      await refuses(fresh(other, { username: 'dowel', password: 'right' }), /CONFIG GET.*NOPERM.*durability: server/);
    });

    test('a replica is refused', async () => {
      await using replica = await RedisServer.start('--replicaof', '127.0.0.1', `${server.port}`);
      await refuses(fresh(replica), /it is a replica/);
    });
  });

  test('a server that falls silent costs the timeout, not for ever; then it is found again', async (t) => {
    await using other = await RedisServer.start();
    const store = await open(fresh(other, { timeout: 1_000 }));
    t.after(() => store.close());
    await written(store, put('a'));
    other.process.kill('SIGSTOP');
    const silent = [store.get('test', 'a'), store.write([put('b')])];
    for (const one of silent) {
      await assert.rejects(one, (error: Error & { code?: string; facts?: Record<string, unknown> }) => {
        assert.equal(error.code, 'store');
        // Nobody knows what it has done, or will do.
        assert.equal(error.facts?.['sent'], undefined);
        return true;
      });
    }
    other.process.kill('SIGCONT');
    await eventually('it answers again', () => has(store, 'a'));
  });

  test('a connection that has died unnoticed is replaced', async (t) => {
    await using proxy = await TcpProxy.before(server.port);
    const store = await open(fresh(server, { url: `redis://127.0.0.1:${proxy.port}`, timeout: 1_000 }));
    t.after(() => store.close());
    await written(store, put('a'));
    proxy.mute();
    await assert.rejects(store.write([put('a')]), /no answer within 1000 ms/);
    await eventually('there is another', () => has(store, 'a'));
  });
});
