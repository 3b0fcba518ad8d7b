/**
 * `node bench/store.ts [SECONDS]`: writes a second of each store, for 1, 10 and 100 callers who each await their write (one
 * new key, 200 bytes), beside the same inserts on SQLite by hand. Servers that are not installed are left out.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '../src/core/clock.ts';
import type { Log } from '../src/core/exchange.ts';
import { openStore } from '../src/store/open.ts';
import type { StoreOptions } from '../src/store/options.ts';
import type { Store } from '../src/store/store.ts';
import { PostgresServer, postgresProgram } from '../test/support/postgres-server.ts';
import { RedisServer, redisProgram } from '../test/support/redis-server.ts';
import { machine } from './report.ts';

const seconds = Number(process.argv[2] ?? 2);
const callers = [1, 10, 100] as const;
const folder = mkdtempSync(join(tmpdir(), 'dowel-bench-'));
const value = Buffer.alloc(200, 'x');
const log: Log = { debug() {}, info() {}, warn() {}, error() {}, debugging: false };

interface Rate {
  readonly perSecond: number;
  /** CPU of this process for one write, microseconds. */
  readonly cpu: number;
}

async function rate(count: number, write: (key: string) => unknown): Promise<Rate> {
  let done = 0;
  const lap = async (ms: number): Promise<void> => {
    const end = performance.now() + ms;
    const call = async (caller: number): Promise<void> => {
      for (; performance.now() < end; done++) await write(`${Math.random()}-${caller}`);
    };
    await Promise.all(Array.from({ length: count }, (_, caller) => call(caller)));
  };
  await lap(300);
  done = 0;
  const [start, before] = [performance.now(), process.cpuUsage()];
  await lap(seconds * 1000);
  const { user, system } = process.cpuUsage(before);
  return { perSecond: (done * 1000) / (performance.now() - start), cpu: (user + system) / done };
}

function row(title: string, rates: readonly (Rate | undefined)[]): void {
  const cells = rates.map((one) => (one ? `${Math.round(one.perSecond)} /s, ${one.cpu.toFixed(0)} µs` : '–'));
  process.stdout.write(`| ${[title, ...cells].join(' | ')} |\n`);
}

async function measure(title: string, options: StoreOptions): Promise<void> {
  await using store: Store = await openStore(options, {
    clock: systemClock,
    log,
    integration: 'bench',
    folder,
    onFatal: (error) => {
      throw error;
    },
  });
  const rates: Rate[] = [];
  for (const count of callers) {
    rates.push(await rate(count, (key) => store.write([{ op: 'put', space: 'bench', key, value }])));
  }
  row(title, rates);
}

/** One insert a transaction: nobody to share it with. */
async function byHand(): Promise<void> {
  const db = new DatabaseSync(join(folder, 'by-hand.db'));
  db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  db.exec('CREATE TABLE entry (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT');
  const insert = db.prepare('INSERT INTO entry VALUES (?, ?)');
  const one = await rate(1, (key) => insert.run(key, value));
  db.close();
  row('SQLite by hand', [one, undefined, undefined]);
}

process.stdout.write(
  `${machine()}\n\n| | ${callers.map((n) => (n === 1 ? '1 caller' : `${n} callers`)).join(' | ')} |\n`,
);
process.stdout.write('|---|---|---|---|\n');
try {
  await measure('memory', { memory: {} });
  await measure('sqlite', { sqlite: { path: join(folder, 'store.db') } });
  await byHand();
  if (redisProgram) {
    await using server = await RedisServer.start();
    await measure('redis', { redis: { url: server.url, durability: 'always', timeout: 5_000 } });
  }
  if (postgresProgram) {
    await using server = await PostgresServer.start();
    const { url, password } = server;
    await measure('postgres', { postgres: { url, password, connections: 10, timeout: 5_000 } });
  }
} finally {
  rmSync(folder, { recursive: true });
}
