/** What the steps that keep something promise replicas on one store: on real servers, with many messages at once. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../src/core/clock.ts';
import { openStore } from '../../src/store/open.ts';
import type { StoreOptions } from '../../src/store/options.ts';
import type { Store } from '../../src/store/store.ts';
import { failOnFatal, quietLog } from '../store/support/subject.ts';
import { withPackage } from '../support/debian-server.ts';
import { type Engine, mainFlow, startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { PostgresServer, postgresProgram } from '../support/postgres-server.ts';
import { RedisServer, redisProgram } from '../support/redis-server.ts';

const open = (options: StoreOptions): Promise<Store> =>
  openStore(options, { clock: systemClock, log: quietLog, integration: 'test', folder: '/', onFatal: failOnFatal });

const replicas = async (t: TestContext, yaml: string, options: StoreOptions): Promise<readonly Engine[]> => {
  const engines = [1, 2, 3].map(async (seed) => startEngine(t, yaml, { seed, store: await open(options) }));
  return Promise.all(engines);
};

async function check(t: TestContext, options: StoreOptions): Promise<void> {
  const yaml = mainFlow(`
- idempotent: { key: id }
- call: { endpoint: a, test: { path: charge }, as: charged }
- claimCheck: { store: { key: id, as: ticket } }
- respond: { status: 201, body: { n: "\${{ $charged }}", claim: "\${{ $ticket.claim }}" } }
`);
  const engines = await replicas(t, yaml, options);
  const done = new Map<string, number>();
  for (const engine of engines) {
    engine.far = ({ body }) => {
      const { id } = body as { id: string };
      done.set(id, (done.get(id) ?? 0) + 1);
      return { body: `${id} by ${engine.seed}` };
    };
  }
  const ids = Array.from({ length: 40 }, (_, i) => `k${i}`);
  const sent = await Promise.allSettled(
    ids.flatMap((id) => [...engines, ...engines].map((engine) => engine.send({ body: { id } }))),
  );
  for (const one of sent) {
    if (one.status === 'rejected') assert.equal(one.reason.code, 'duplicate-in-flight');
    else assert.equal(one.value.status, 201);
  }
  assert.deepEqual([...done.keys()].sort(), ids.toSorted());
  assert.deepEqual(new Set(done.values()), new Set([1]));
  for (const id of ids) {
    const replies = await Promise.all(engines.map((engine) => engine.send({ body: { id } })));
    const [first] = replies;
    assert.match(String(Object(first?.body).n), new RegExp(`^${id} by [123]$`));
    for (const reply of replies) assert.deepEqual(reply.body, first?.body);
  }
  assert.deepEqual(new Set(done.values()), new Set([1]));
}

async function checkCache(t: TestContext, options: StoreOptions): Promise<void> {
  const yaml = mainFlow(
    '- cache: { key: id, ttl: 1h, shared: true, steps: [ { call: { endpoint: a, test: { path: get } } } ] }',
    // The server answers in its own time, which the clock of the engines does not know.
    { flow: 'deadline: 1d' },
  );
  const engines = await replicas(t, yaml, options);
  for (const engine of engines) engine.far = ({ body }) => ({ body: { ...(body as object), by: engine.seed } });
  const sent = engines.flatMap((engine) =>
    Array.from({ length: 30 }, (_, i) => engine.send({ body: { id: `k${i % 10}` } })),
  );
  let settled = false;
  const all = Promise.all(sent).finally(() => {
    settled = true;
  });
  // Who waits for another replica looks again after a while, by its own clock.
  while (!settled) {
    await pause(5);
    await Promise.all(engines.map((engine) => engine.clock.advance(20)));
  }
  const byId = new Map<unknown, Set<unknown>>();
  for (const { body } of await all) {
    const { id, by } = body as { id: string; by: number };
    byId.set(id, (byId.get(id) ?? new Set()).add(by));
  }
  assert.equal(byId.size, 10);
  for (const [id, by] of byId) assert.equal(by.size, 1, `${id} was worked out by ${[...by].join(', ')}`);
  assert.equal(
    engines.reduce((sum, engine) => sum + engine.calls.length, 0),
    10,
  );
}

/** Lets time pass for all of them, alike, until it is so. */
async function passing(engines: readonly Engine[], what: string, holds: () => boolean): Promise<void> {
  await eventually(
    what,
    async () => {
      await Promise.all(engines.map((engine) => engine.clock.advance(250)));
      return holds();
    },
    60_000,
  );
}

async function checkAggregate(t: TestContext, options: StoreOptions): Promise<void> {
  const yaml = mainFlow(
    '- aggregate: { by: k, complete: { size: 10, within: 30s }, collect: n }\n- call: { endpoint: a }',
    { flow: 'deadline: 1d' },
  );
  const engines = await replicas(t, yaml, options);
  const lists: (readonly number[])[] = [];
  for (const engine of engines) engine.far = ({ body }) => void lists.push(body as readonly number[]);
  const numbers = Array.from({ length: 96 }, (_, n) => n);
  let settled = false;
  const sent = Promise.all(
    numbers.map((n) => (engines[n % 3] as Engine).send({ body: { k: `k${Math.floor(n / 7) % 3}`, n } })),
  ).finally(() => {
    settled = true;
  });
  await passing(engines, 'all are in groups', () => settled);
  await sent;
  await passing(engines, 'all groups are complete', () => lists.flat().length >= numbers.length);
  await passing(engines, 'nothing more comes', () => true);
  assert.deepEqual(
    lists.flat().sort((a, b) => a - b),
    numbers,
  );
  assert.equal(Math.max(...lists.map((list) => list.length)), 10);
  for (const list of lists) assert.equal(new Set(list.map((n) => Math.floor(n / 7) % 3)).size, 1, list.join());
}

async function checkResequence(t: TestContext, options: StoreOptions): Promise<void> {
  const yaml = mainFlow(
    '- resequence: { by: k, sequence: n, start: 1, gapTimeout: 1h }\n- call: { endpoint: a, as: done }',
    { flow: 'deadline: 1d' },
  );
  const engines = await replicas(t, yaml, options);
  const order = new Map<string, number[]>([
    ['x', []],
    ['y', []],
  ]);
  for (const engine of engines) {
    engine.far = ({ body }) => {
      const { k, n } = body as { readonly k: string; readonly n: number };
      order.get(k)?.push(n);
      return undefined;
    };
  }
  // Out of order, each to another replica.
  const numbers = Array.from({ length: 20 }, (_, index) => ((index * 7) % 20) + 1);
  let settled = false;
  const sent = Promise.all(
    numbers.flatMap((n, index) =>
      ['x', 'y'].map((k, nth) => (engines[(index + nth) % 3] as Engine).send({ body: { k, n } })),
    ),
  ).finally(() => {
    settled = true;
  });
  await passing(engines, 'all are in the store', () => settled);
  await sent;
  await passing(engines, 'all went on', () => [...order.values()].flat().length >= 40);
  const expected = numbers.toSorted((a, b) => a - b);
  assert.deepEqual([...order.values()], [expected, expected]);
}

withPackage('redis-server', redisProgram, 'replicas on Redis', () => {
  test('do each message once; results are worked out by one; groups and streams are those of all', async (t) => {
    await using server = await RedisServer.start();
    await check(t, { redis: { url: server.url, prefix: 'one', durability: 'always', timeout: 5000 } });
    await checkCache(t, { redis: { url: server.url, prefix: 'two', durability: 'always', timeout: 5000 } });
    await checkAggregate(t, { redis: { url: server.url, prefix: 'three', durability: 'always', timeout: 5000 } });
    await checkResequence(t, { redis: { url: server.url, prefix: 'four', durability: 'always', timeout: 5000 } });
  });
});

withPackage('postgresql', postgresProgram, 'replicas on PostgreSQL', () => {
  test('do each message once; results are worked out by one; groups and streams are those of all', async (t) => {
    await using server = await PostgresServer.start();
    const settings = { url: server.url, password: server.password, connections: 3, timeout: 5000 };
    await check(t, { postgres: { ...settings, schema: 'one' } });
    await checkCache(t, { postgres: { ...settings, schema: 'two' } });
    await checkAggregate(t, { postgres: { ...settings, schema: 'three' } });
    await checkResequence(t, { postgres: { ...settings, schema: 'four' } });
  });
});
