import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, open, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { VirtualClock } from '../../../src/core/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { plainCodec } from '../../support/plain-context.ts';
import { permanent } from './support/failures.ts';
import { Inbox, list, temporaryFolder } from './support/inbox.ts';

test('a file becomes a message: content, type by its extension, and what is known about it', async (t) => {
  const inbox = await Inbox.make(t);
  const flow = inbox.flow();
  await inbox.put('order.json', '{"id":1}');
  const modified = new Date('2026-01-02T03:04:05.000Z');
  await utimes(join(inbox.path, 'order.json'), modified, modified);
  await inbox.source({}, { deliver: flow.deliver });
  await flow.given(1);
  const { body, origin } = flow.at(0).message;
  assert.equal(String(await body.bytes(plainCodec)), '{"id":1}');
  assert.equal(body.contentType, 'application/json');
  assert.deepEqual(origin.source, {
    path: join(inbox.path, 'order.json'),
    name: 'order.json',
    size: 8,
    modified: modified.toISOString(),
  });
  assert.equal(origin.attempt, 1);
});

test('while it is worked on a file is out of the folder; done, it lies in .done under its name', async (t) => {
  const inbox = await Inbox.make(t);
  const flow = inbox.flow();
  await inbox.put('a.txt', 'content');
  await inbox.source({}, { deliver: flow.deliver });
  await flow.given(1);
  assert.deepEqual(await inbox.waiting(), []);
  assert.deepEqual(await inbox.list('.done'), []);
  flow.at(0).resolve();
  await eventually('it is done', async () => (await inbox.list('.done')).length === 1);
  assert.equal(await inbox.read('.done', 'a.txt'), 'content');
});

test('done: a folder of its own, made where it is missing, or deleted', async (t) => {
  const inbox = await Inbox.make(t);
  const folder = join(inbox.path, '..', 'archive', 'files');
  await inbox.put('kept.txt');
  await inbox.put('gone.txt');
  await inbox.source({ glob: 'kept*', done: { folder } });
  await inbox.source({ glob: 'gone*', done: { delete: true } });
  await eventually('both are taken', async () => (await inbox.waiting()).length === 0);
  await inbox.close();
  assert.deepEqual(await list(folder), ['kept.txt']);
  assert.deepEqual(await inbox.list('.claimed'), []);
  assert.deepEqual(await inbox.list('.done'), []);
});

test('a name that comes again gets a time: nothing in .done is ever overwritten', async (t) => {
  const inbox = await Inbox.make(t);
  await inbox.source();
  for (const content of ['first', 'second', 'third']) {
    await inbox.put('a.csv', content);
    await eventually('it is taken', async () => (await inbox.waiting()).length === 0);
  }
  await eventually('all are done', async () => (await inbox.list('.done')).length === 3);
  const names = await inbox.list('.done');
  for (const name of names) assert.match(name, /^a(\.\d{4}-\d\d-\d\dT[-\d]+Z(-\d+)?)?\.csv$/);
  const contents = await Promise.all(names.map((name) => inbox.read('.done', name)));
  assert.deepEqual(contents.sort(), ['first', 'second', 'third']);
});

test('a folder of done files may be the inbox of the next flow: nothing appears there before it is whole', async (t) => {
  const inbox = await Inbox.make(t);
  const next = new Inbox(join(inbox.path, '..', 'next'));
  t.after(() => next.close());
  await mkdir(next.path);
  const flow = inbox.flow();
  await next.source({}, { deliver: flow.record });
  await inbox.source({ done: { folder: next.path } }, { concurrency: 3 });
  const count = 200;
  for (let i = 0; i < count; i++) await inbox.put(`${i}.txt`, `content ${i}`);
  await flow.given(count);
  await eventually('all are done', async () => (await next.list('.done')).length === count);
  assert.equal(flow.deliveries.length, count);
  for (const { message } of flow.deliveries) {
    const name = String(message.origin.source?.['name']);
    assert.equal(String(await message.body.bytes(plainCodec)), `content ${name.replace('.txt', '')}`);
  }
});

test('a file that fails under the same name again has a report of its own', async (t) => {
  const inbox = await Inbox.make(t);
  const deliver = async () => {
    throw permanent();
  };
  await inbox.source({}, { deliver });
  for (const content of ['first', 'second']) {
    await inbox.put('a.json', content);
    await eventually('it is taken', async () => (await inbox.waiting()).length === 0);
  }
  await eventually('both failed', async () => (await inbox.list('.failed')).length === 4);
  const names = await inbox.list('.failed');
  const reports = names.filter((name) => name.endsWith('.error.json'));
  assert.deepEqual(
    reports.map((name) => name.replace('.error.json', '')).sort(),
    names.filter((name) => !reports.includes(name)),
  );
});

test('into another file system files are copied, and seen only whole', async (t) => {
  const inbox = await Inbox.make(t);
  const other = await mkdtemp('/dev/shm/dowel-file-').catch(() => undefined);
  if (other === undefined || (await stat(other)).dev === (await stat(inbox.path)).dev) {
    t.skip('there is no other file system');
    return;
  }
  t.after(() => rm(other, { recursive: true }));
  const content = 'x'.repeat(3_000_000);
  const next = new Inbox(other);
  t.after(() => next.close());
  const flow = inbox.flow();
  await next.source({ maxSize: 5_000_000 }, { deliver: flow.record });
  await inbox.source({ done: { folder: other }, maxSize: 5_000_000 });
  for (const name of ['a.txt', 'b.txt']) await inbox.put(name, content);
  await flow.given(2);
  for (const { message } of flow.deliveries) assert.equal(message.body.length, content.length);
  await eventually('nothing is left behind', async () => (await next.list('.done')).length === 2);
  assert.deepEqual(
    (await next.list()).filter((name) => name.endsWith('.part')),
    [],
  );
  assert.deepEqual(await inbox.waiting(), []);
});

test('only files that match the glob are taken, in the order of their names; folders, links and hidden files never', async (t) => {
  const inbox = await Inbox.make(t);
  const flow = inbox.flow();
  for (const name of ['b.csv', 'a.csv', 'c.json', 'd.txt', '.hidden.csv']) await inbox.put(name);
  await mkdir(join(inbox.path, 'folder.csv'));
  await symlink(join(inbox.path, 'd.txt'), join(inbox.path, 'link.csv'));
  const { source } = await inbox.source({ glob: '*.{csv,json}' }, { deliver: flow.record });
  await flow.given(3);
  await source.close();
  assert.deepEqual(flow.names, ['a.csv', 'b.csv', 'c.json']);
  assert.deepEqual(await inbox.waiting(), ['d.txt', 'folder.csv', 'link.csv']);
});

describe('complete files only', () => {
  test('a file that is still written to is left alone until it has not changed for `settle`', async (t) => {
    const inbox = await Inbox.make(t);
    const flow = inbox.flow();
    const clock = new VirtualClock();
    const looked = async (ms: number): Promise<void> => {
      // Real files take real time, of which the virtual clock knows nothing: each look ends by setting a timer again.
      for (let left = ms; left > 0; ) {
        await eventually('the source waits', () => clock.next !== undefined && clock.next <= 500);
        const step = Math.min(left, clock.next ?? left);
        await clock.advance(step);
        left -= step;
      }
      await eventually('the source has looked', () => clock.next !== undefined && clock.next <= 500);
    };
    const writer = await open(join(inbox.path, 'slow.txt'), 'w');
    await inbox.source({ settle: 500, every: 200 }, { clock, deliver: flow.deliver });
    for (let part = 0; part < 5; part++) {
      await writer.write(`part ${part}\n`);
      await looked(400);
    }
    assert.equal(flow.deliveries.length, 0);
    await writer.close();
    for (let i = 0; i < 4 && flow.deliveries.length === 0; i++) await looked(300);
    assert.equal(
      String(await flow.at(0).message.body.bytes(plainCodec)),
      [0, 1, 2, 3, 4].map((n) => `part ${n}\n`).join(''),
    );
    flow.at(0).resolve();
    await looked(400);
  });

  test('a file that grows while others are worked on is looked at again before it is taken', async (t) => {
    const inbox = await Inbox.make(t);
    const flow = inbox.flow();
    await inbox.put('1.txt');
    await inbox.put('2.txt', 'half');
    await inbox.source({}, { deliver: flow.deliver });
    await flow.given(1);
    // The list that named both was made before this.
    await inbox.put('2.txt', 'half and half');
    flow.at(0).resolve();
    await flow.given(2);
    assert.equal(String(await flow.at(1).message.body.bytes(plainCodec)), 'half and half');
    flow.at(1).resolve();
  });

  test('a file that is exchanged by a rename is never mixed from both', async (t) => {
    const inbox = await Inbox.make(t);
    const flow = inbox.flow();
    await inbox.source({}, { deliver: flow.record });
    for (let i = 0; i < 20; i++) {
      await writeFile(join(inbox.path, '.next'), String(i).repeat(1000));
      await rename(join(inbox.path, '.next'), join(inbox.path, 'same.txt'));
    }
    await eventually('the last one is taken', async () => (await inbox.waiting()).length === 0);
    await inbox.close();
    for (const { message } of flow.deliveries) {
      const text = String(await message.body.bytes(plainCodec));
      assert.match(text, /^(\d+?)\1{999}$/);
    }
    assert.ok(flow.deliveries.length > 0);
  });
});

test('`concurrency` bounds how many files are worked on at once; one by default', async (t) => {
  const inbox = await Inbox.make(t);
  for (let i = 0; i < 6; i++) await inbox.put(`${i}.txt`);
  const flow = inbox.flow();
  await inbox.source({}, { deliver: flow.deliver, concurrency: 3 });
  await flow.given(3);
  assert.equal((await inbox.waiting()).length, 3);
  for (const index of [0, 1, 2]) flow.at(index).resolve();
  await flow.given(6);
  for (const index of [3, 4, 5]) flow.at(index).resolve();
  await inbox.close();
  for (let i = 0; i < 6; i++) await inbox.put(`again-${i}.txt`);
  let now = 0;
  let most = 0;
  const deliver = async () => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setImmediate(resolve));
    now--;
    return undefined;
  };
  await inbox.source({}, { deliver });
  await eventually('all are done', async () => (await inbox.list('.done')).length === 12);
  assert.equal(most, 1);
});

describe('at start', () => {
  const opening = async (t: Parameters<typeof temporaryFolder>[0], prepare: (path: string) => Promise<object>) => {
    const path = await temporaryFolder(t);
    return new Inbox(join(path, 'in')).source(await prepare(path), { name: 'orders' });
  };

  test('a missing folder is one clear line', async (t) => {
    await assert.rejects(
      opening(t, async () => ({})),
      (error: Error) => {
        assert.match(
          error.message,
          /^The folder \S+\/in of the flow `orders` could not be opened: it does not exist \(ENOENT\): make it, or correct `path`$/,
        );
        return true;
      },
    );
  });

  test('a file in the place of a folder is named', async (t) => {
    await assert.rejects(
      opening(t, async (path) => {
        await writeFile(join(path, 'in'), '');
        return {};
      }),
      { code: 'startup', message: /in of the flow `orders` could not be opened: it is not a folder$/ },
    );
    await assert.rejects(
      opening(t, async (path) => {
        await mkdir(join(path, 'in'));
        await writeFile(join(path, 'bad'), '');
        return { failed: join(path, 'bad') };
      }),
      { code: 'startup', message: /bad of the flow `orders` could not be opened: something of that name exists/ },
    );
  });

  test('a folder that may not be written to is named', {
    skip: process.getuid?.() === 0 && 'root may write anywhere',
  }, async (t) => {
    await assert.rejects(
      opening(t, async (path) => {
        await mkdir(join(path, 'in'));
        await chmod(join(path, 'in'), 0o500);
        return {};
      }),
      { code: 'startup', message: /permission denied \(EACCES\): the process must read it and move its files$/ },
    );
  });
});

test('a folder that goes away and comes back is said once each, and files are taken again', async (t) => {
  const inbox = await Inbox.make(t);
  const flow = inbox.flow();
  const { context } = await inbox.source({}, { deliver: flow.record });
  await rm(inbox.path, { recursive: true });
  const said = (level: string) => context.log.lines.filter((line) => line.level === level);
  await eventually('it is said', () => said('error').length === 1);
  assert.match(String(said('error')[0]?.fields['detail']), /it does not exist \(ENOENT\)/);
  await mkdir(inbox.path);
  await inbox.put('a.txt');
  await flow.given(1);
  assert.equal(said('error').length, 1);
  assert.equal(said('info').length, 1);
});

test('a name that is too long to be taken is said once and left alone', async (t) => {
  const inbox = await Inbox.make(t);
  const flow = inbox.flow();
  const long = 'x'.repeat(230);
  await inbox.put(long);
  const { context } = await inbox.source({}, { deliver: flow.record });
  await inbox.put('a.txt');
  await flow.given(1);
  await inbox.put('b.txt');
  await flow.given(2);
  assert.deepEqual(flow.names, ['a.txt', 'b.txt']);
  assert.deepEqual(await inbox.waiting(), [long]);
  assert.equal(context.log.lines.filter((line) => line.level === 'error').length, 1);
});
