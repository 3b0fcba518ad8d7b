import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Body, type Deliver, type Incoming } from '#sdk';
import { failure } from '../../../src/errors.ts';
import { codec } from '../../../src/format/codec.ts';
import { eager, message, numbers, reader, world } from './support.ts';

describe('a queue in the store', () => {
  it('gives a message back as it came: body, type, headers, origin, and its id as id and key', async () => {
    const { open, clock } = world();
    const { queue } = await open();
    const bytes = Uint8Array.of(0, 255, 10);
    const id = await queue.put({ ...message(0), body: Body.bytes(bytes, 'application/octet-stream') });
    const taken: Incoming[] = [];
    const deliver: Deliver = async (incoming) => {
      taken.push(incoming);
      return undefined;
    };
    queue.read({ ...eager(), deliver });
    await clock.advance(0);
    const [incoming] = taken;
    assert.ok(incoming);
    assert.deepEqual(Buffer.from(await incoming.body.bytes(codec)), Buffer.from(bytes));
    assert.equal(incoming.body.contentType, 'application/octet-stream');
    assert.equal(incoming.headers['x-a'], 'b');
    assert.equal(incoming.headers['constructor'], undefined);
    assert.deepEqual(incoming.origin, message(0).origin);
    assert.deepEqual([incoming.id, incoming.key, incoming.lane], [id, id, 'jobs']);
  });

  it('keeps what is not done, in order, for whoever opens it next', async () => {
    const { open, clock } = world();
    const before = (await open()).queue;
    for (const number of numbers(1, 5)) await before.put(message(number));
    const first = reader();
    const seat = before.read(first);
    await clock.advance(0);
    first.ends[0]?.done();
    await clock.advance(0);
    assert.deepEqual(first.got, [1, 2]);
    seat.stop();
    first.ends[1]?.fail(failure('stopping'));
    await seat.close();
    await before.close();
    const after = (await open(2)).queue;
    const second = eager();
    after.read(second);
    await clock.advance(0);
    await after.put(message(6));
    await clock.advance(0);
    assert.deepEqual(second.got, [2, 3, 4, 5, 6]);
    assert.equal(after.waiting, 0);
  });

  it('resolves a put only when it is written, and hands nothing over before', async () => {
    const { open, clock, slow } = world();
    const { queue } = await open();
    const mine = eager();
    queue.read(mine);
    await clock.advance(0);
    slow.holding = true;
    let kept = false;
    const put = queue.put(message(1)).then(() => {
      kept = true;
    });
    await clock.advance(0);
    assert.deepEqual([kept, mine.got], [false, []]);
    slow.holding = false;
    slow.held[0]?.go();
    await put;
    await clock.advance(0);
    assert.deepEqual([kept, mine.got], [true, [1]]);
  });

  it('writes side by side, and hands over in the order of the puts whatever is written first', async () => {
    const { open, clock, slow } = world();
    const { queue } = await open();
    const mine = eager();
    queue.read(mine);
    await clock.advance(0);
    slow.holding = true;
    const puts = numbers(1, 4).map((number) => queue.put(message(number)));
    await clock.advance(0);
    assert.equal(slow.held.length, 4);
    slow.holding = false;
    slow.held[2]?.go();
    slow.held[3]?.go();
    await Promise.all([puts[2], puts[3]]);
    await clock.advance(0);
    assert.deepEqual(mine.got, []);
    slow.held[0]?.go();
    await clock.advance(0);
    assert.deepEqual(mine.got, [1]);
    slow.held[1]?.fail(failure('store', { store: 'memory', detail: 'full', sent: false }));
    await assert.rejects(puts[1] ?? Promise.resolve(), { code: 'store' });
    await clock.advance(0);
    assert.deepEqual(mine.got, [1, 3, 4]);
    assert.equal(queue.waiting, 0);
  });

  it('reads ahead a few messages at a time, however many wait', async () => {
    const { open, clock, slow } = world();
    const { queue } = await open();
    await Promise.all(numbers(1, 900).map((number) => queue.put(message(number))));
    const mine = eager({ concurrency: 3, inOrder: false });
    queue.read(mine);
    await clock.advance(0);
    await clock.advance(0);
    for (let turn = 0; turn < 50 && mine.got.length < 900; turn++) await clock.advance(0);
    assert.equal(mine.got.length, 900);
    assert.deepEqual(
      [...mine.got].sort((a, b) => Number(a) - Number(b)),
      numbers(1, 900),
    );
    assert.ok(slow.largestPage <= 64, String(slow.largestPage));
  });

  it('looks at the store no more than at the start while the reader keeps up', async () => {
    const { open, clock, slow } = world();
    const { queue } = await open();
    const mine = eager();
    queue.read(mine);
    await clock.advance(0);
    const { lists } = slow;
    for (const number of numbers(1, 20)) await queue.put(message(number));
    await clock.advance(0);
    assert.deepEqual(mine.got, numbers(1, 20));
    assert.equal(slow.lists, lists);
  });

  it('counts again after a restart, and refuses what would be too many', async () => {
    const { open, clock } = world();
    const before = (await open()).queue;
    for (const number of numbers(1, 37)) await before.put(message(number));
    await before.close();
    const { queue } = await open(2);
    const mine = reader({ capacity: 38 });
    queue.read(mine);
    await clock.advance(0);
    assert.equal(queue.waiting, 37);
    await queue.put(message(38));
    await assert.rejects(queue.put(message(39)), { code: 'channel-full' });
    mine.ends[0]?.done();
    await clock.advance(0);
    await queue.put(message(40));
  });

  it('refuses a body that no value of the store holds', async () => {
    const { open } = world();
    const { queue } = await open();
    const body = Body.bytes(Buffer.alloc(16 * 1024 ** 2), 'application/octet-stream');
    await assert.rejects(queue.put({ ...message(0), body }), { code: 'too-large', status: 413 });
    assert.equal(queue.waiting, 0);
  });

  it('refuses more writes at once than a thousand', async () => {
    const { open, slow } = world();
    const { queue } = await open();
    await queue.put(message(0));
    slow.holding = true;
    const puts = numbers(1, 1001).map((number) => queue.put(message(number)));
    await assert.rejects(puts[1000] ?? Promise.resolve(), { code: 'overloaded' });
    slow.holding = false;
    for (const one of slow.held) one.go();
    await Promise.all(puts.slice(0, 1000));
    assert.equal(queue.waiting, 1001);
  });

  it('removes what was written although its put failed, before anybody gets it', async () => {
    const { open, clock, slow } = world();
    const { queue } = await open();
    await queue.put(message(1));
    slow.holding = true;
    const doubtful = queue.put(message(2));
    await clock.advance(0);
    const [held] = slow.held;
    if (held) await slow.inner.write(held.batch);
    held?.fail(failure('store', { store: 'memory', detail: 'the connection broke' }));
    await assert.rejects(doubtful, { code: 'store', outcome: 'unknown' });
    slow.holding = false;
    await queue.put(message(3));
    await queue.close();
    const again = (await open(2)).queue;
    const mine = eager();
    again.read(mine);
    await clock.advance(0);
    assert.deepEqual(mine.got, [1, 3]);
  });

  it('goes on when the store does: nothing that is done comes again', async () => {
    const { open, clock, slow, log } = world();
    const { queue } = await open();
    for (const number of numbers(1, 3)) await queue.put(message(number));
    const mine = reader();
    queue.read(mine);
    await clock.advance(0);
    slow.failing = failure('store', { store: 'memory', detail: 'gone', sent: false });
    mine.ends[0]?.done();
    await clock.advance(5000);
    assert.deepEqual(mine.got, [1]);
    assert.equal(log.lines.filter((line) => line.message.includes('could not be removed')).length, 1);
    slow.failing = undefined;
    await clock.advance(2000);
    assert.deepEqual(mine.got, [1, 2]);
  });

  it('offers a message again that was not done, after a pause, and others not before it where order counts', async () => {
    const { open, clock } = world();
    const { queue } = await open();
    for (const number of numbers(1, 2)) await queue.put(message(number));
    const mine = reader();
    queue.read(mine);
    await clock.advance(0);
    mine.ends[0]?.fail(failure('aborted'));
    await clock.advance(500);
    assert.deepEqual(mine.got, [1]);
    await clock.advance(600);
    assert.deepEqual(mine.got, [1, 1]);
  });

  it('after a reload the new reader takes, but not before the old one has ended its message', async () => {
    const { open, clock } = world();
    const { queue } = await open();
    for (const number of numbers(1, 3)) await queue.put(message(number));
    const old = reader();
    const seat = queue.read(old);
    await clock.advance(0);
    const next = eager();
    queue.read(next);
    seat.stop();
    await clock.advance(0);
    assert.deepEqual([old.got, next.got], [[1], []]);
    old.ends[0]?.fail(failure('stopping'));
    await clock.advance(0);
    assert.deepEqual(next.got, [1, 2, 3]);
  });

  it('several flows share the messages', async () => {
    const { open, clock } = world();
    const { queue } = await open();
    const a = reader({ flow: 'a', inOrder: false });
    const b = reader({ flow: 'b', inOrder: false });
    queue.read(a);
    queue.read(b);
    for (const number of numbers(1, 3)) await queue.put(message(number));
    await clock.advance(0);
    assert.deepEqual([a.got.length, b.got.length], [1, 1]);
  });
});
