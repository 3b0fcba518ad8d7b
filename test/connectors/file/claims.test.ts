import assert from 'node:assert/strict';
import { mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Claims, defaultLease } from '../../../connectors/file/claims.ts';
import {
  identityText,
  ownIdentity,
  type ProcessIdentity,
  parseIdentity,
  surelyDead,
} from '../../../connectors/file/process-identity.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { seededRandom } from '../../../src/core/random.ts';
import { list, temporaryFolder } from './support/inbox.ts';

const all = (): boolean => true;

async function setUp(t: TestContext) {
  const path = await temporaryFolder(t);
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const open = () => Claims.open(path, clock, random, { lease: defaultLease });
  /** A claim of somebody else, as that one left it. */
  const leave = async (owner: string, ...files: readonly string[]): Promise<string> => {
    const folder = join(path, '.claimed', owner);
    await mkdir(folder, { recursive: true });
    for (const file of files) await writeFile(join(folder, file), file);
    return folder;
  };
  return { path, clock, open, leave };
}

test('a claim of another machine is taken over when its owner shows no sign of life for the lease, and not before', async (t) => {
  const { clock, open, leave } = await setUp(t);
  const folder = await leave('elsewhere_b00t_1_17_99_abc', '2.1.order.json');
  const claims = await open();
  assert.deepEqual(await claims.recover(all), []);
  await clock.advance(defaultLease - 1);
  assert.deepEqual(await claims.recover(all), []);
  await utimes(folder, 1, 1);
  await clock.advance(defaultLease - 1);
  assert.deepEqual(await claims.recover(all), [], 'it has shown a sign of life meanwhile');
  await clock.advance(defaultLease);
  const [claim] = await claims.recover(all);
  assert.equal(claim?.name, 'order.json');
  assert.equal(claim?.attempt, 2, 'taking it over begins no attempt');
  assert.equal(await readFile(claim?.path ?? '', 'utf8'), '2.1.order.json');
});

test('claims that were released are free at once; files that another glob asks for stay', async (t) => {
  const { path, open, leave } = await setUp(t);
  await leave('released_x', '1.1.b.csv', '1.2.a.csv', '1.3.c.json');
  const claims = await open();
  const found = await claims.recover((name) => name.endsWith('.csv'));
  assert.deepEqual(
    found.map((one) => one.name),
    ['a.csv', 'b.csv'],
  );
  assert.deepEqual(await list(path, '.claimed', 'released_x'), ['1.3.c.json']);
});

test('two owners recover the same claims: each goes to one of them', async (t) => {
  const { open, leave } = await setUp(t);
  await leave('released_x', ...Array.from({ length: 50 }, (_, i) => `1.1.${i}`));
  const owners = await Promise.all([open(), open(), open()]);
  const found = (await Promise.all(owners.map((one) => one.recover(all)))).flat();
  assert.equal(found.length, 50);
  assert.equal(new Set(found.map((one) => one.name)).size, 50);
});

test('what is no claim is left alone', async (t) => {
  const { path, open, leave } = await setUp(t);
  await leave('released_x', 'readme.txt');
  await writeFile(join(path, '.claimed', 'a file'), '');
  await leave('not an owner', '1.1.a');
  const claims = await open();
  assert.deepEqual(await claims.recover(all), []);
  await claims.release();
  assert.deepEqual(await list(path, '.claimed'), ['a file', 'not an owner', 'released_x']);
});

test('an owner whose folder was taken away while it stood still goes on', async (t) => {
  const { path, open } = await setUp(t);
  const claims = await open();
  await rm(join(path, '.claimed'), { recursive: true });
  await writeFile(join(path, 'a.txt'), 'a');
  const claim = await claims.take(join(path, 'a.txt'), 'a.txt');
  assert.equal(claim?.attempt, 1);
  await claims.live();
  assert.equal(await claims.take(join(path, 'a.txt'), 'a.txt'), undefined, 'it is gone from the folder');
});

test('a process is known by more than its number', async () => {
  const own = await ownIdentity();
  assert.deepEqual(parseIdentity(identityText(own, 'x')), own);
  assert.equal(await surelyDead(own, own), false);
  const gone: ProcessIdentity = { ...own, pid: 2 ** 22 - 1, started: '1' };
  assert.equal(await surelyDead(gone, own), true, 'there is no such process');
  if (own.started !== '-') {
    assert.equal(await surelyDead({ ...own, started: '1' }, own), true, 'its number was given to another one');
  }
  for (const other of [
    { ...gone, host: 'elsewhere' },
    { ...gone, boot: 'other' },
    { ...gone, namespace: '1' },
  ]) {
    assert.equal(await surelyDead(other, own), false, 'it cannot be seen from here');
  }
  for (const text of ['', 'x', 'released_x', 'a_b_c_d_e_f', '_b_c_1_e_f'])
    assert.equal(parseIdentity(text), undefined, text);
});
