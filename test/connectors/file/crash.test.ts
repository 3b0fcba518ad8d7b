import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Child, scriptArgs } from '../../support/child-process.ts';
import { eventually } from '../../support/eventually.ts';
import { plainCodec } from '../../support/plain-context.ts';
import { Inbox } from './support/inbox.ts';

const worker = fileURLToPath(new URL('./support/worker.ts', import.meta.url));

interface Entry {
  readonly pid: number;
  readonly name: string;
  readonly attempt: number;
}

async function ledger(inbox: Inbox): Promise<readonly Entry[]> {
  const text = await readFile(join(inbox.path, '..', 'ledger'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry);
}

async function start(t: TestContext, inbox: Inbox, mode: 'hold' | 'done', concurrency = 1): Promise<Child> {
  const args = scriptArgs(worker, inbox.path, join(inbox.path, '..', 'ledger'), mode, `${concurrency}`);
  const child = new Child(process.execPath, args);
  t.after(() => child[Symbol.asyncDispose]());
  await child.until('the source is open', () => child.stdout.includes('open'));
  return child;
}

test('a file of a process that was killed is taken again at once, whole, as the next attempt', async (t) => {
  const inbox = await Inbox.make(t);
  await inbox.put('a.txt', 'content');
  const victim = await start(t, inbox, 'hold');
  await eventually('it is worked on', async () => (await ledger(inbox)).length === 1);
  const flow = inbox.flow();
  await inbox.source({}, { deliver: flow.deliver });
  await inbox.put('b.txt');
  await flow.given(1);
  assert.deepEqual(flow.names, ['b.txt'], 'as long as its owner lives, the claimed file is not taken');
  flow.at(0).resolve();
  await victim.stop('SIGKILL');
  await flow.given(2);
  const { message } = flow.at(1);
  assert.equal(message.origin.source?.['name'], 'a.txt');
  assert.equal(message.origin.attempt, 2);
  assert.equal(String(await message.body.bytes(plainCodec)), 'content');
  flow.at(1).resolve();
  await eventually('it is done', async () => (await inbox.list('.done')).length === 2);
  assert.deepEqual(await inbox.waiting(), []);
});

test('a file that kills every process fails for good; those that only waited beside it are not blamed', async (t) => {
  const inbox = await Inbox.make(t);
  const others = ['b.txt', 'c.txt', 'd.txt'];
  for (const name of ['a-poison.txt', ...others]) await inbox.put(name);
  for (let crash = 1; crash <= 5; crash++) {
    const victim = await start(t, inbox, 'hold');
    await eventually(`attempt ${crash}`, async () => (await ledger(inbox)).length === crash);
    await victim.stop('SIGKILL');
  }
  const flow = inbox.flow();
  const { context } = await inbox.source({ maxAttempts: 5 }, { deliver: flow.record });
  await eventually('the others are done', async () => (await inbox.list('.done')).length === others.length);
  assert.deepEqual(flow.names, others);
  assert.ok(flow.deliveries.every((one) => one.message.origin.attempt === 1));
  const why = JSON.parse(await inbox.read('.failed', 'a-poison.txt.error.json')) as Record<string, unknown>;
  assert.equal(why['code'], 'interrupted');
  assert.equal(why['attempts'], 5);
  assert.equal(context.log.lines.filter((line) => line.level === 'error').length, 1);
});

test('several processes share a folder: every file is taken by exactly one of them', async (t) => {
  const inbox = await Inbox.make(t);
  const workers = await Promise.all([0, 1, 2].map(() => start(t, inbox, 'done', 4)));
  const count = 300;
  await Promise.all(Array.from({ length: count }, (_, i) => inbox.put(`${i}.txt`)));
  await eventually('all are done', async () => (await inbox.list('.done')).length === count, 30_000);
  for (const one of workers) assert.deepEqual(await one.stop(), { code: 0, signal: null });
  const entries = await ledger(inbox);
  assert.equal(entries.length, count);
  assert.equal(new Set(entries.map((one) => one.name)).size, count);
  assert.ok(entries.every((one) => one.attempt === 1));
  assert.deepEqual(await inbox.list('.claimed'), []);
});

test('processes are killed over and over: nothing is lost, and each crash repeats at most what was under way', async (t) => {
  const inbox = await Inbox.make(t);
  const crashes = 6;
  const each = 60;
  const count = crashes * each;
  const concurrency = 3;
  for (let crash = 0; crash < crashes; crash++) {
    await Promise.all(Array.from({ length: each }, (_, i) => inbox.put(`${crash}-${i}.txt`)));
    const before = (await ledger(inbox)).length;
    const victim = await start(t, inbox, 'done', concurrency);
    await eventually('it has worked a little', async () => (await ledger(inbox)).length >= before + 5 + crash * 3);
    await victim.stop('SIGKILL');
  }
  const last = await start(t, inbox, 'done', concurrency);
  await eventually('none is left', async () => (await inbox.waiting()).length === 0);
  assert.deepEqual(await last.stop(), { code: 0, signal: null });
  const entries = await ledger(inbox);
  assert.equal(new Set(entries.map((one) => one.name)).size, count, 'nothing is lost');
  assert.ok(entries.length <= count + crashes * concurrency, `${entries.length - count} duplicates`);
  assert.deepEqual(await inbox.list('.failed'), []);
});
