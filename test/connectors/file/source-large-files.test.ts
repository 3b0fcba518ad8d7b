import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { plainCodec } from '../../support/plain-context.ts';
import { Inbox } from './support/inbox.ts';

describe('large files', () => {
  test('a flow that does not look gets a stream, of any size, that holds a part in memory', async (t) => {
    const inbox = await Inbox.make(t);
    const flow = inbox.flow();
    const size = 20_000_000;
    await inbox.put('large.bin', Buffer.alloc(size, 'x'));
    await inbox.source({ maxSize: 1_000 }, { deliver: flow.deliver, needsWholeBody: false });
    await flow.given(1);
    const { body } = flow.at(0).message;
    assert.equal(body.isStream, true);
    assert.equal(body.length, size);
    let read = 0;
    let largest = 0;
    for await (const chunk of body.takeStream()?.stream ?? []) {
      read += chunk.length;
      largest = Math.max(largest, chunk.length);
    }
    assert.equal(read, size);
    assert.ok(largest <= 64 * 1024);
    flow.at(0).resolve();
    await eventually('it is done', async () => (await inbox.list('.done')).length === 1);
  });

  test('beyond `maxSize` it fails when the flow looks, without having been read', async (t) => {
    const inbox = await Inbox.make(t);
    await inbox.put('large.txt', 'x'.repeat(2_000));
    await inbox.source(
      { maxSize: 1_000 },
      {
        deliver: async ({ body }) => {
          await body.bytes(plainCodec);
          return undefined;
        },
      },
    );
    await eventually('it failed', async () => (await inbox.list('.failed')).length === 2);
    assert.equal(
      (JSON.parse(await inbox.read('.failed', 'large.txt.error.json')) as { code: string }).code,
      'too-large',
    );
  });

  test('a stream that nobody read is closed when the file is done', async (t) => {
    const inbox = await Inbox.make(t);
    const flow = inbox.flow();
    await inbox.put('a.bin');
    await inbox.source({}, { deliver: flow.deliver, needsWholeBody: false });
    await flow.given(1);
    flow.at(0).resolve();
    await eventually('it is done', async () => (await inbox.list('.done')).length === 1);
    assert.throws(() => flow.at(0).message.body.takeStream(), /given back/);
  });

  test('a file that shrinks while it is read is an error, never a part taken for the whole', async (t) => {
    const inbox = await Inbox.make(t);
    const flow = inbox.flow();
    await inbox.put('a.bin', 'x'.repeat(200_000));
    await inbox.source({}, { deliver: flow.deliver, needsWholeBody: false });
    await flow.given(1);
    const [owner = ''] = await inbox.list('.claimed');
    const [claim = ''] = await inbox.list(join('.claimed', owner));
    await writeFile(join(inbox.path, '.claimed', owner, claim), 'short');
    const { stream } = flow.at(0).message.body.takeStream() ?? {};
    assert.ok(stream);
    await assert.rejects(
      (async () => {
        for await (const chunk of stream) void chunk;
      })(),
      { code: 'file', kind: 'transient' },
    );
    flow.at(0).resolve();
  });
});
