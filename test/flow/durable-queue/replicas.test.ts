/** Replicas on one store: each reads what it took in, and what others leave; on real servers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Body, type Deliver } from '#sdk';
import { systemClock } from '../../../src/core/clock.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { StoredQueue } from '../../../src/flow/durable-queue/queue.ts';
import { Ownership } from '../../../src/flow/ownership.ts';
import { codec } from '../../../src/format/codec.ts';
import { openStore } from '../../../src/store/open.ts';
import type { StoreOptions } from '../../../src/store/options.ts';
import { failOnFatal, quietLog } from '../../store/support/subject.ts';
import { withPackage } from '../../support/debian-server.ts';
import { eventually } from '../../support/eventually.ts';
import { PostgresServer, postgresProgram } from '../../support/postgres-server.ts';
import { RedisServer, redisProgram } from '../../support/redis-server.ts';

const services = { clock: systemClock, log: quietLog, random: systemRandom, codec };

async function replica(options: StoreOptions) {
  const world = { clock: systemClock, log: quietLog, integration: 'test', folder: '/', onFatal: failOnFatal };
  const store = await openStore(options, world);
  const ownership = new Ownership(store, services);
  await ownership.open();
  const queue = new StoredQueue('jobs', { store, ownership, services });
  const done: unknown[] = [];
  const state = { stuck: false };
  const deliver: Deliver = async ({ body }) => {
    if (state.stuck) await new Promise(() => {});
    done.push(await body.value(codec));
    return undefined;
  };
  const read = (): void => void queue.read({ flow: 'f', deliver, concurrency: 10, inOrder: false, capacity: 100_000 });
  const put = (value: string): Promise<string> =>
    queue.put({ body: Body.value(value), headers: {}, origin: { receivedAt: 0, attempt: 1 } });
  return { store, ownership, queue, done, state, read, put };
}

async function check(options: StoreOptions): Promise<void> {
  const [one, two] = await Promise.all([replica(options), replica(options)]);
  one.read();
  two.read();
  one.state.stuck = true;
  const mine = Array.from({ length: 300 }, (_, index) => `one ${index}`);
  const theirs = Array.from({ length: 300 }, (_, index) => `two ${index}`);
  await Promise.all([...mine.map(one.put), ...theirs.map(two.put)]);
  await eventually('the second has done its own', () => two.done.length === 300);
  await two.queue.takeOver();
  assert.deepEqual(new Set(two.done), new Set(theirs));
  // What a process that dies loses by time, this one gives away.
  await one.ownership.close();
  await two.queue.takeOver();
  await eventually('the second has done all', () => two.done.length === 600);
  assert.deepEqual(new Set(two.done), new Set([...mine, ...theirs]));
  assert.deepEqual(one.done, []);
  await two.queue.close();
  await two.ownership.close();
  for (const { store } of [one, two]) await store.close();
}

withPackage('redis-server', redisProgram, 'replicas on Redis share a queue', () => {
  test('nothing is lost, and nothing done twice that was not in flight', async () => {
    await using server = await RedisServer.start();
    await check({ redis: { url: server.url, prefix: 'queues', durability: 'always', timeout: 5000 } });
  });
});

withPackage('postgresql', postgresProgram, 'replicas on PostgreSQL share a queue', () => {
  test('nothing is lost, and nothing done twice that was not in flight', async () => {
    await using server = await PostgresServer.start();
    const { url, password } = server;
    await check({ postgres: { url, password, connections: 3, timeout: 5000, schema: 'queues' } });
  });
});
