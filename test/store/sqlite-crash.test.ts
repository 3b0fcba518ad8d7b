/** What is left of an SQLite store when its process, or the machine's power, ends at any moment. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { VirtualClock } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { entries } from '../../src/store/entries.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { Child, scriptArgs } from '../support/child-process.ts';
import { between } from '../support/commands.ts';
import { failOnFatal, put, quietLog, text, written } from './support/subject.ts';

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-crash-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const open = (path: string): Promise<Store> =>
  openStore(
    { sqlite: { path } },
    { clock: new VirtualClock(), log: quietLog, integration: 'test', folder: '/', onFatal: failOnFatal },
  );

/** The parts of each batch that are there, by its number. */
async function batchesIn(store: Store): Promise<ReadonlyMap<number, readonly string[]>> {
  const batches = new Map<number, string[]>();
  for await (const { key, value } of entries(store, 'test')) {
    const [number = '', part = ''] = key.split('/');
    assert.ok(text(value).startsWith(`${Number(number)} `), `${key} has the value of another`);
    batches.set(Number(number), [...(batches.get(Number(number)) ?? []), part]);
  }
  return batches;
}

test('kill -9 at any moment: everything acknowledged is there, no batch is there by half', async (t) => {
  const path = join(newFolder(t), 'store.db');
  const script = fileURLToPath(new URL('support/crash-writer.ts', import.meta.url));
  const random = seededRandom(7);
  const acknowledged = new Set<number>();
  let first = 0;
  for (let round = 0; round < 10; round++) {
    const child = new Child(process.execPath, scriptArgs(script, path, `${first}`));
    t.after(() => child[Symbol.asyncDispose]());
    const enough = between(random, 1, 400);
    await child.until(`${enough} batches`, () => child.stdout.split('\n').length > enough);
    await child.stop('SIGKILL');
    // The last line may be cut off.
    const lines = child.stdout.split('\n').slice(0, -1);
    for (const line of lines) acknowledged.add(Number(line));
    const store = await open(path);
    const batches = await batchesIn(store);
    for (const number of acknowledged) assert.ok(batches.has(number), `round ${round}: ${number} was acknowledged`);
    for (const [number, parts] of batches) assert.deepEqual(parts, ['a', 'b', 'c'], `round ${round}: batch ${number}`);
    first = Math.max(...batches.keys()) + 1;
    await written(store, put('probe', `${round}`, {}, 'other'));
    await store.close();
  }
  assert.ok(acknowledged.size > 10);
});

test('power cut at any byte of the log: what is left is a beginning of what was written, in whole batches', async (t) => {
  const folder = newFolder(t);
  const path = join(folder, 'store.db');
  const store = await open(path);
  const logged: number[] = [];
  for (let number = 0; number < 6; number++) {
    const key = String(number).padStart(7, '0');
    await written(store, ...['a', 'b', 'c'].map((part) => put(`${key}/${part}`, `${number} `.repeat(700))));
    logged.push(statSync(`${path}-wal`).size);
  }
  const database = readFileSync(path);
  const log = readFileSync(`${path}-wal`);
  await store.close();
  const cut = join(folder, 'cut.db');
  const ends = new Set([0, 31, 32, log.length, ...logged, ...logged.map((size) => size - 1)]);
  for (let at = 0; at < log.length; at += 509) ends.add(at);
  for (const end of ends) {
    writeFileSync(cut, database);
    writeFileSync(`${cut}-wal`, log.subarray(0, end));
    const left = await open(cut);
    const batches = await batchesIn(left);
    // A log that is synced holds all batches whose last byte is in it.
    const whole = logged.filter((size) => size <= end).length;
    assert.deepEqual(
      [...batches.keys()],
      Array.from({ length: whole }, (_, i) => i),
      `cut at ${end}`,
    );
    for (const [number, parts] of batches) assert.deepEqual(parts, ['a', 'b', 'c'], `cut at ${end}: batch ${number}`);
    await left.close();
  }
});

test('a log with a damaged batch loses it and all behind it, never a part', async (t) => {
  const folder = newFolder(t);
  const path = join(folder, 'store.db');
  const store = await open(path);
  const logged: number[] = [];
  for (let number = 0; number < 4; number++) {
    const key = String(number).padStart(7, '0');
    await written(store, ...['a', 'b', 'c'].map((part) => put(`${key}/${part}`, `${number} `)));
    logged.push(statSync(`${path}-wal`).size);
  }
  const cut = join(folder, 'cut.db');
  const log = readFileSync(`${path}-wal`);
  const random = seededRandom(3);
  for (let trial = 0; trial < 40; trial++) {
    copyFileSync(path, cut);
    const damaged = Buffer.from(log);
    const at = between(random, 32, log.length - 1);
    damaged[at] = (damaged[at] ?? 0) ^ 0xff;
    writeFileSync(`${cut}-wal`, damaged);
    const left = await open(cut);
    const batches = await batchesIn(left);
    // Checksums run from frame to frame: what is behind the damage cannot be trusted either.
    const whole = logged.filter((size) => size <= at).length;
    assert.deepEqual(
      [...batches.keys()],
      Array.from({ length: whole }, (_, i) => i),
      `damaged at ${at}`,
    );
    for (const [number, parts] of batches)
      assert.deepEqual(parts, ['a', 'b', 'c'], `damaged at ${at}: batch ${number}`);
    await left.close();
  }
  await store.close();
});
