/** The file of an SQLite store: whose it is, what it may be, and what happens when the disk says no. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { VirtualClock } from '../../src/core/clock.ts';
import { openStore } from '../../src/store/open.ts';
import { limits, type Store } from '../../src/store/store.ts';
import { Child, finished, scriptArgs } from '../support/child-process.ts';
import { failOnFatal, put, quietLog, text, written } from './support/subject.ts';

function newPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-file-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'store.db');
}

const support = (name: string): string => fileURLToPath(new URL(`support/${name}`, import.meta.url));

const world = (clock = new VirtualClock(), folder = '/') => ({
  clock,
  log: quietLog,
  integration: 'place-order',
  folder,
  onFatal: failOnFatal,
});

const open = (path: string, clock?: VirtualClock): Promise<Store> => openStore({ sqlite: { path } }, world(clock));

const refuses = (opening: Promise<unknown>, pattern: RegExp): Promise<void> =>
  assert.rejects(opening, (error: Error & { code?: string }) => {
    assert.equal(error.code, 'startup', error.message);
    assert.match(error.message, pattern);
    return true;
  });

describe('the file of an sqlite store', () => {
  test('without a path it stands beside the integration, under its name', async (t) => {
    const folder = dirname(newPath(t));
    await using _store = await openStore(undefined, world(new VirtualClock(), folder));
    assert.ok(existsSync(join(folder, 'place-order.dowel.db')));
  });

  test('nobody else may read it', async (t) => {
    const path = newPath(t);
    await using store = await open(path);
    await written(store, put('a'));
    for (const file of [path, `${path}-wal`]) assert.equal(statSync(file).mode & 0o777, 0o600, file);
  });

  test('closed, it is one file', async (t) => {
    const path = newPath(t);
    const store = await open(path);
    await written(store, put('a'));
    await store.close();
    assert.ok(!existsSync(`${path}-wal`) && !existsSync(`${path}-shm`));
  });

  test('another process cannot have it at the same time, and can once the first was killed', async (t) => {
    const path = newPath(t);
    const holder = new Child(process.execPath, scriptArgs(support('holder.ts'), path));
    t.after(() => holder[Symbol.asyncDispose]());
    await holder.until('it has the store', () => holder.stdout.includes('open'));
    const clock = new VirtualClock();
    const refused = refuses(open(path, clock), /it is in use; one process at a time.*`redis` or `postgres`/);
    await clock.advance(3_100);
    await refused;
    // One that begins while the other still ends waits for it.
    const opening = open(path, clock);
    await holder.stop('SIGKILL');
    await clock.advance(100);
    await using store = await opening;
    const entry = await store.get('test', 'a');
    assert.equal(entry && text(entry.value), 'of the holder');
  });

  test('a folder that is not there, a folder, or a file of something else are said to be so', async (t) => {
    const path = newPath(t);
    await refuses(
      open(join(path, 'x', 'store.db')),
      /ENOENT.*Set `store.sqlite.path` to a file in a folder that is there/,
    );
    await refuses(open(dirname(path)), /cannot be opened or made/);
    writeFileSync(path, 'name,price\n'.repeat(1000));
    await refuses(open(path), /is not an SQLite database/);
    assert.equal(readFileSync(path, 'utf8'), 'name,price\n'.repeat(1000));
  });

  test('a database of another program is left as it is', async (t) => {
    const path = newPath(t);
    const other = new DatabaseSync(path);
    other.exec('CREATE TABLE customer (name TEXT)');
    other.close();
    const before = readFileSync(path);
    await refuses(open(path), /a database of another program/);
    assert.deepEqual(readFileSync(path), before);
  });

  test('a file that a newer Dowel wrote is left as it is', async (t) => {
    const path = newPath(t);
    await (await open(path)).close();
    const file = new DatabaseSync(path);
    file.exec('PRAGMA user_version = 99');
    file.close();
    await refuses(open(path), /a newer Dowel wrote it \(version 99; this one knows \d+\)/);
  });

  const page = 4096;
  const filled = async (path: string): Promise<Buffer> => {
    const store = await open(path);
    for (let i = 0; i < 50; i++) await written(store, put(`${i}`, 'x'.repeat(2000)));
    await store.close();
    return readFileSync(path);
  };

  test('a damaged file is not opened', async (t) => {
    const path = newPath(t);
    const file = await filled(path);
    writeFileSync(path, file.fill(0xab, page));
    await refuses(open(path), /the file is damaged; bring back a backup/);
  });

  test('damage that is found later ends the store', async (t) => {
    const path = newPath(t);
    const file = await filled(path);
    for (let at = page; at < file.length; at += page) {
      // The first byte says what kind of page it is.
      if (file.subarray(at, at + page).includes('x'.repeat(1000))) file[at] = 0xab;
    }
    writeFileSync(path, file);
    const fatal: Error[] = [];
    const options = { ...world(), onFatal: (error: Error) => void fatal.push(error) };
    const store = await openStore({ sqlite: { path } }, options);
    await assert.rejects(store.get('test', '7'), /the file is damaged; bring back a backup/);
    await assert.rejects(store.write([put('a')]), /the file is damaged/);
    await assert.rejects(store.list('test', { limit: 1 }), /the file is damaged/);
    assert.equal(fatal.length, 1);
    await store.close();
  });
});

describe('how an sqlite store writes', () => {
  test('a hundred writers of one moment share one transaction', async (t) => {
    const [alone, together] = [newPath(t), newPath(t)];
    const logged = (path: string): number => statSync(`${path}-wal`).size;
    const one = await open(alone);
    for (let i = 0; i < 100; i++) await written(one, put(`${i}`));
    const other = await open(together);
    await Promise.all(Array.from({ length: 100 }, (_, i) => written(other, put(`${i}`))));
    assert.ok(logged(together) * 10 < logged(alone), `${logged(together)} and ${logged(alone)} bytes of log`);
    await Promise.all([one.close(), other.close()]);
  });

  test('a conflict in a group fails nobody else', async (t) => {
    await using store = await open(newPath(t));
    const results = await Promise.all([
      store.write([put('a', '1', { when: 'absent' }), put('b')]),
      store.write([put('c'), put('a', '2', { when: 'absent' })]),
      store.write([put('d')]),
    ]);
    assert.deepEqual(
      results.map((result) => (result.written ? 'written' : result.conflict)),
      ['written', 1, 'written'],
    );
    const { entries } = await store.list('test', { limit: 10 });
    assert.deepEqual(
      entries.map((entry) => entry.key),
      ['a', 'b', 'd'],
    );
  });

  test('what has expired is removed in the background, also what expired while it was closed', async (t) => {
    const path = newPath(t);
    const clock = new VirtualClock();
    const store = await open(path, clock);
    const many = Array.from({ length: 1000 }, (_, i) => `${i}`);
    for (let i = 0; i < many.length; i += limits.batch) {
      await written(store, ...many.slice(i, i + limits.batch).map((key) => put(key, key, { ttl: 5_000 })));
    }
    await written(store, put('kept'), put('late', 'late', { ttl: 60_000 }));
    const rows = async (): Promise<number> => {
      await clock.advance(10_000);
      const left = await open(path, clock);
      await clock.advance(10_000);
      await left.close();
      const file = new DatabaseSync(path);
      const count = Number(file.prepare('SELECT count(*) AS count FROM entry').get()?.['count']);
      file.close();
      return count;
    };
    await clock.advance(7_000);
    await store.close();
    const file = new DatabaseSync(path);
    assert.equal(file.prepare('SELECT count(*) AS count FROM entry').get()?.['count'], 2);
    file.close();
    await clock.advance(60_000);
    assert.equal(await rows(), 1);
  });
});

describe('an sqlite store whose disk says no', () => {
  const unshare = ['unshare', process.getuid?.() === 0 ? '-m' : '-rm'];
  const mounts = spawnSync(unshare[0] ?? '', [...unshare.slice(1), 'true']).status === 0;

  test('full: the write fails and says so, nothing is lost, and it goes on when there is room again', {
    skip: !mounts && 'a small disk cannot be mounted here',
  }, async (t) => {
    const folder = dirname(newPath(t));
    const script =
      'mount -t tmpfs -o size=2m none "$1" && head -c 500000 /dev/zero > "$1/filler" && exec "$2" "$3" "$1/store.db" "$1/filler"';
    const args = ['bash', '-c', script, 'bash', folder, process.execPath, support('full-disk.ts')];
    const [program = '', ...flags] = unshare;
    const run = await finished(program, [...flags, ...args]);
    assert.equal(run.code, 0, run.stderr);
    const told = JSON.parse(run.stdout);
    assert.ok(told.acknowledged > 3, run.stdout);
    assert.match(told.end, /^store: The store \(sqlite\) cannot be used: the disk is full \(.*store\.db\)$/);
    const keys = Array.from({ length: told.acknowledged }, (_, i) => [`${i}/a`, `${i}/b`]).flat();
    assert.deepEqual(told.found, [...keys, 'after'].sort());
    assert.deepEqual([told.read, told.after, told.closed, told.fatal], ['done', 'done', 'done', []]);
  });

  test('failing: the process is told to end, nothing more is acknowledged, and a restart finds what was', async (t) => {
    const path = newPath(t);
    // A limit of the file size is an error of the disk to SQLite, not lack of room.
    const limited = ['-c', 'ulimit -f 1000; exec "$0" "$@"', process.execPath, support('full-disk.ts'), path];
    const run = await finished('bash', limited);
    assert.equal(run.code, 0, run.stderr);
    const told = JSON.parse(run.stdout);
    assert.ok(told.acknowledged > 3, run.stdout);
    assert.match(told.end, /^store: .*disk I\/O error/);
    assert.equal(told.fatal.length, 1);
    assert.match(told.read, /^store: .*disk I\/O error/);
    assert.match(told.after, /^store: .*disk I\/O error/);
    assert.equal(told.closed, 'done');
    await using store = await open(path);
    const { entries, next } = await store.list('test', { limit: 1000 });
    assert.equal(next, undefined);
    const keys = entries.map((entry) => entry.key);
    for (let i = 0; i < told.acknowledged; i++) assert.ok(keys.includes(`${i}/a`) && keys.includes(`${i}/b`), `${i}`);
    assert.equal(keys.length % 2, 0);
  });

  test('failing: a process that ends by an exception ends, whoever catches the failure of the write', async (t) => {
    const limited = ['-c', 'ulimit -f 1000; exec "$0" "$@"', process.execPath, support('dying.ts'), newPath(t)];
    const run = await finished('bash', limited, { within: 20_000 });
    assert.equal(run.code, 70, run.stderr);
    assert.match(run.stdout, /^ends: The store \(sqlite\) cannot be used: disk I\/O error/);
  });
});
