import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { systemClock, VirtualClock } from '../../../src/core/clock.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { failure } from '../../../src/errors.ts';
import { DeadLetters } from '../../../src/flow/dead-letters/dead-letters.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { openStore } from '../../../src/store/open.ts';
import type { StoreOptions } from '../../../src/store/options.ts';
import type { Store } from '../../../src/store/store.ts';
import { failOnFatal, quietLog } from '../../store/support/subject.ts';
import { withPackage } from '../../support/debian-server.ts';
import { PostgresServer, postgresProgram } from '../../support/postgres-server.ts';
import { RedisServer, redisProgram } from '../../support/redis-server.ts';
import { letter, litter } from './support/letters.ts';
import { deadLetters } from './support/suite.ts';

const world = { clock: systemClock, log: quietLog, integration: 'test', folder: '/', onFatal: failOnFatal };

async function open(t: TestContext, options: StoreOptions): Promise<{ readonly store: Store }> {
  const store = await openStore(options, world);
  t.after(() => store.close());
  return { store };
}

describe('in memory', () => deadLetters((t) => open(t, { memory: {} })));

describe('in SQLite', () =>
  deadLetters((t) => {
    const folder = mkdtempSync(join(tmpdir(), 'dowel-letters-'));
    t.after(() => rmSync(folder, { recursive: true }));
    return open(t, { sqlite: { path: join(folder, 'store.db') } });
  }));

withPackage('redis-server', redisProgram, 'in Redis', () => {
  let server: RedisServer;
  let count = 0;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server[Symbol.asyncDispose]());
  deadLetters((t) =>
    open(t, {
      redis: { url: server.url, prefix: `letters-${count++}`, durability: 'always', timeout: 5_000 },
    }),
  );
});

withPackage('postgresql', postgresProgram, 'in PostgreSQL', () => {
  let server: PostgresServer;
  let count = 0;
  before(async () => {
    server = await PostgresServer.start();
  });
  after(() => server[Symbol.asyncDispose]());
  deadLetters((t) =>
    open(t, {
      postgres: {
        url: server.url,
        password: server.password,
        schema: `letters_${count++}`,
        connections: 4,
        timeout: 10_000,
      },
    }),
  );
});

describe('what cannot be kept', () => {
  test('a letter that breaks off half-way is no letter, and its parts expire', async (t) => {
    const clock = new VirtualClock();
    const memory = new MemoryStore(clock, quietLog);
    t.after(() => memory.close());
    let left = 3;
    const store = Object.create(memory, {
      write: {
        value: async (batch: Parameters<Store['write']>[0]) => {
          if (left-- === 0) throw failure('store', { store: 'memory', detail: 'gone' });
          return memory.write(batch);
        },
      },
      get: { value: memory.get.bind(memory) },
      list: { value: memory.list.bind(memory) },
    }) as Store;
    const letters = new DeadLetters(store, systemRandom);
    await assert.rejects(letters.keep(letter(), new Uint8Array(20 * 1024 ** 2)), { code: 'store' });
    assert.equal(await letters.get('a'), undefined);
    assert.equal((await litter(memory)).length, 3);
    await clock.advance(3_600_001);
    assert.deepEqual(await litter(memory), []);
  });

  test('a body beyond all bounds is refused before anything is written', async (t) => {
    const store = new MemoryStore(new VirtualClock(), quietLog);
    t.after(() => store.close());
    const letters = new DeadLetters(store, systemRandom);
    const huge = { byteLength: 900 * 1024 ** 2 } as Uint8Array;
    await assert.rejects(letters.keep(letter(), huge), { code: 'store-limit', kind: 'permanent' });
    assert.deepEqual(await litter(store), []);
  });

  test('a definition too large to be kept: the letter is, without it', async (t) => {
    const store = new MemoryStore(new VirtualClock(), quietLog);
    t.after(() => store.close());
    const letters = new DeadLetters(store, systemRandom);
    const large = { hash: 'h', files: [{ path: 'integration.yaml', text: 'x'.repeat(17 * 1024 ** 2) }] };
    await letters.keep(letter(), Buffer.from('{}'), large);
    assert.equal((await letters.get('a'))?.head.original, undefined);
  });
});
