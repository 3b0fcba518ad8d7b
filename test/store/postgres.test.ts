import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { systemClock, VirtualClock } from '../../src/core/clock.ts';
import { openStore } from '../../src/store/open.ts';
import type { PostgresOptions, StoreOptions } from '../../src/store/options.ts';
import type { Store } from '../../src/store/store.ts';
import { withPackage } from '../support/debian-server.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { PostgresServer, postgresProgram } from '../support/postgres-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { conformance } from './support/conformance.ts';
import { leases } from './support/leases.ts';
import { tryStore } from './support/model.ts';
import { has, onServer, refusing } from './support/on-a-server.ts';
import { shared } from './support/shared.ts';
import { failOnFatal, put, quietLog, written } from './support/subject.ts';

let count = 0;
const settings = (server: PostgresServer, options: Partial<PostgresOptions> = {}): PostgresOptions => ({
  url: server.url,
  password: server.password,
  schema: `test_${count++}`,
  connections: 5,
  timeout: 5_000,
  ...options,
});
const fresh = (server: PostgresServer, options?: Partial<PostgresOptions>): StoreOptions => ({
  postgres: settings(server, options),
});

const open = (options: StoreOptions, clock = systemClock, integration = 'test'): Promise<Store> =>
  openStore(options, { clock, log: quietLog, integration, folder: '/', onFatal: failOnFatal });

withPackage('postgresql', postgresProgram, 'postgres store', () => {
  let server: PostgresServer;
  before(async () => {
    server = await PostgresServer.start();
  });
  after(() => server[Symbol.asyncDispose]());

  const openFresh = onServer(() => fresh(server), open);

  /** A connection of the test's own, as a user who may do everything. */
  const connect = async (t: TestContext) => {
    const { default: pg } = await import('pg');
    const client = new pg.Client(server.connection);
    await client.connect();
    t.after(() => client.end());
    return client;
  };

  conformance(openFresh);
  leases(openFresh);
  shared({ fresh: () => fresh(server), open, timeout: 5_000, server: () => server });

  test('random commands do what a map does', async () => {
    const subject = () => {
      const options = fresh(server);
      return { open: () => open(options), survives: true, ordered: false };
    };
    await tryStore(subject, { trials: 15, length: 80 });
  });

  test('what has expired is removed in the background', async (t) => {
    const clock = new VirtualClock();
    const options = settings(server);
    const store = await open({ postgres: options }, clock);
    t.after(() => store.close());
    const client = await connect(t);
    const rows = async (): Promise<number> => (await client.query(`SELECT 1 FROM ${options.schema}.entry`)).rows.length;
    await written(store, ...Array.from({ length: 200 }, (_, i) => put(`${i}`, 'x', { ttl: 50 })), put('kept'));
    assert.equal(await rows(), 201);
    await eventually('all have expired', async () => (await store.list('test', { limit: 5 })).entries.length === 1);
    await clock.advance(1_000);
    await eventually('the background has removed them', async () => (await rows()) === 1);
  });

  test('what is acknowledged is synced also where the server is set not to wait', async (t) => {
    const client = await connect(t);
    await client.query('CREATE ROLE hasty LOGIN SUPERUSER PASSWORD $$hasty$$');
    await client.query('ALTER ROLE hasty SET synchronous_commit = off');
    const url = server.url.replace('dowel@', 'hasty@');
    const store = await open(fresh(server, { url, password: 'hasty' }));
    t.after(() => store.close());
    // Others of the server write now and then, too: what matters is that the disk has more than there was before.
    const position = async (what: 'insert' | 'flush'): Promise<bigint> => {
      const { rows } = await client.query(`SELECT pg_current_wal_${what}_lsn() - '0/0'::pg_lsn AS at`);
      return BigInt(rows[0]?.at);
    };
    for (let i = 0; i < 20; i++) {
      const before = await position('insert');
      await written(store, put(`${i}`));
      assert.ok((await position('flush')) > before, `write ${i} was acknowledged before it was on the disk`);
    }
  });

  describe('opening', () => {
    const refuses = refusing(open);

    test('a server that is not there is said to be so, with its address', async () => {
      const url = `postgresql://dowel@127.0.0.1:${await freePort()}/postgres`;
      await refuses(fresh(server, { url, password: 'secret' }), /127\.0\.0\.1:\d+ could not be opened.*ECONNREFUSED/);
    });

    test('a wrong password and a database that is not there are', async () => {
      await refuses(fresh(server, { password: 'secret' }), /password authentication failed for user "dowel" \(28P01\)/);
      await refuses(fresh(server, { url: `${server.url}-not` }), /database "postgres-not" does not exist/);
    });

    test('five replicas that start at once make the tables once', async (t) => {
      const options = fresh(server);
      const stores = await Promise.all(Array.from({ length: 5 }, () => open(options)));
      t.after(() => Promise.all(stores.map((store) => store.close())));
      const client = await connect(t);
      const { rows } = await client.query(`SELECT version FROM ${options.postgres?.schema}.migration`);
      assert.deepEqual(rows, [{ version: 1 }]);
    });

    test('a user who may make nothing can use what is there', async (t) => {
      const options = settings(server);
      await (await open({ postgres: options })).close();
      const client = await connect(t);
      const { schema } = options;
      await client.query(`
        CREATE ROLE modest LOGIN PASSWORD 'modest'; GRANT USAGE ON SCHEMA ${schema} TO modest;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO modest;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${schema} TO modest;`);
      const modest = { url: server.url.replace('dowel@', 'modest@'), password: 'modest' };
      await using store = await open({ postgres: { ...options, ...modest } });
      await written(store, put('a'), put('b', 'b', { ttl: 1000 }));
      await written(store, put('a', 'b'));
      await refuses(fresh(server, modest), /permission denied for database/);
    });

    test('tables of a newer Dowel are left alone', async (t) => {
      const options = settings(server);
      await (await open({ postgres: options })).close();
      const client = await connect(t);
      await client.query(`INSERT INTO ${options.schema}.migration (version) VALUES (99)`);
      await refuses({ postgres: options }, /a newer Dowel made its tables \(version 99; this one knows \d+\)/);
    });

    test('transactions that are isolated otherwise are refused', async (t) => {
      const client = await connect(t);
      await client.query('CREATE ROLE strict LOGIN SUPERUSER PASSWORD $$strict$$');
      await client.query(`ALTER ROLE strict SET default_transaction_isolation = 'serializable'`);
      const strict = { url: server.url.replace('dowel@', 'strict@'), password: 'strict' };
      await refuses(fresh(server, strict), /`default_transaction_isolation` is `serializable`.*read committed/);
    });

    test('the schema is named after the integration; a name that is too long is refused', async (t) => {
      const { schema: _, ...unnamed } = settings(server);
      const store = await open({ postgres: unnamed }, systemClock, 'place-order');
      t.after(() => store.close());
      const client = await connect(t);
      assert.equal((await client.query(`SELECT 1 FROM "dowel_place-order".entry`)).rows.length, 0);
      await assert.rejects(open({ postgres: unnamed }, systemClock, 'x'.repeat(60)), /set `store.postgres.schema`/);
    });
  });

  test('a server that falls silent costs the timeout, not for ever; then it is found again', async (t) => {
    const store = await open(fresh(server, { timeout: 1_000 }));
    t.after(() => store.close());
    await written(store, put('a'));
    const client = await connect(t);
    // Holds what the store waits for.
    await client.query('BEGIN');
    await client.query(`LOCK TABLE test_${count - 1}.entry IN ACCESS EXCLUSIVE MODE`);
    for (const one of [store.get('test', 'a'), store.write([put('b')])]) {
      await assert.rejects(one, (error: Error & { code?: string; facts?: Record<string, unknown> }) => {
        assert.equal(error.code, 'store');
        assert.match(error.message, /no answer within 1000 ms/);
        // Nobody knows what it has done, or will do.
        assert.equal(error.facts?.['sent'], undefined);
        return true;
      });
    }
    await client.query('ROLLBACK');
    await eventually('it answers again', () => has(store, 'a'));
  });

  test('a connection that has died unnoticed is replaced', async (t) => {
    await using proxy = await TcpProxy.before(server.port);
    const store = await open(
      fresh(server, { url: server.url.replace(`:${server.port}`, `:${proxy.port}`), timeout: 1_000, connections: 1 }),
    );
    t.after(() => store.close());
    await written(store, put('a'));
    proxy.mute();
    await assert.rejects(store.write([put('a')]), /no answer within 1000 ms/);
    await eventually('there is another', () => has(store, 'a'));
  });
});
