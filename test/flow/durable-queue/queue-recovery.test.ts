import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Deliver, QueueReader } from '#sdk';
import { failure } from '../../../src/errors.ts';
import type { StoredQueue } from '../../../src/flow/durable-queue/queue.ts';
import { codec } from '../../../src/format/codec.ts';
import { eager, message, numbers, reader, type World, world } from './support.ts';

describe('after a crash', () => {
  /** Opens the queue, and dies when `run` ends: nothing is closed. */
  const crashed = async (
    { open, clock }: World,
    options: Partial<QueueReader>,
    run: (mine: ReturnType<typeof reader>, queue: StoredQueue) => Promise<void> = async () => {},
  ): Promise<readonly (readonly [unknown, number])[]> => {
    const { queue } = await open();
    const mine = reader(options);
    const taken: [unknown, number][] = [];
    const deliver: Deliver = async (incoming) => {
      taken.push([await incoming.body.value(codec), incoming.origin.attempt]);
      return mine.deliver(incoming);
    };
    queue.read({ ...mine, deliver });
    await clock.advance(0);
    await run(mine, queue);
    await clock.advance(0);
    return taken;
  };

  it('an attempt of the message is counted that was out; the next one begins with its first', async () => {
    const all = world();
    const { queue } = await all.open();
    for (const number of numbers(1, 2)) await queue.put(message(number));
    assert.deepEqual(await crashed(all, {}), [[1, 1]]);
    assert.deepEqual(await crashed(all, {}), [[1, 2]]);
    const last = await crashed(all, {}, async (mine) => mine.ends[0]?.done());
    assert.deepEqual(last, [
      [1, 3],
      [2, 1],
    ]);
    const { entries } = await all.slow.inner.list('queue-attempts', { limit: 10 });
    assert.deepEqual(entries, []);
  });

  it('those that were out together come one at a time; only which one dies with the process is blamed', async () => {
    const all = world();
    const { queue } = await all.open();
    for (const number of numbers(1, 6)) await queue.put(message(number));
    const three = { concurrency: 3, inOrder: false };
    const first = await crashed(all, three);
    assert.deepEqual(
      first,
      numbers(1, 3).map((number) => [number, 1]),
    );
    const second = await crashed(all, three, async (mine) => mine.ends[0]?.done());
    assert.deepEqual(second, [
      [1, 1],
      [2, 1],
    ]);
    const third = await crashed(all, three, async (mine) => {
      mine.ends[0]?.done();
      await all.clock.advance(0);
    });
    // One suspect was out; with it settled they go side by side again.
    assert.deepEqual(third, [
      [2, 2],
      [3, 1],
      [4, 1],
      [5, 1],
    ]);
  });

  it('nobody is blamed for an orderly end', async () => {
    const all = world();
    const { queue } = await all.open();
    await queue.put(message(1));
    await crashed(all, {}, async (mine, mineQueue) => {
      mine.ends[0]?.fail(failure('stopping'));
      await all.clock.advance(1_000);
      mine.ends[1]?.fail(failure('stopping'));
      await all.clock.advance(0);
      await mineQueue.close();
    });
    assert.deepEqual(await crashed(all, {}), [[1, 1]]);
  });

  it('hands nothing over before the store knows that it is out', async () => {
    const all = world();
    const { queue } = await all.open();
    await queue.put(message(1));
    const mine = reader();
    queue.read(mine);
    all.slow.holding = true;
    await all.clock.advance(0);
    assert.deepEqual(mine.got, []);
    assert.equal(all.slow.held.length, 1);
    all.slow.held[0]?.go();
    await all.clock.advance(0);
    assert.deepEqual(mine.got, [1]);
  });
});

describe('a queue in a shared store', () => {
  it('each process reads its own part, and takes over those of processes that fell silent', async () => {
    const { open, clock } = world({ shared: true });
    const one = await open(1);
    const two = await open(2);
    const ofOne = reader();
    const ofTwo = eager();
    one.queue.read(ofOne);
    two.queue.read(ofTwo);
    await clock.advance(0);
    for (const number of numbers(1, 3)) await one.queue.put(message(number));
    await two.queue.put(message('two'));
    await clock.advance(0);
    assert.deepEqual([ofOne.got, ofTwo.got], [[1], ['two']]);
    await two.queue.takeOver();
    await clock.advance(0);
    assert.deepEqual(ofTwo.got, ['two']);
    // It gives its lease up, as a process does that stops; one that dies loses it by time.
    await one.queue.close();
    await one.ownership.close();
    await two.queue.takeOver();
    await clock.advance(0);
    assert.deepEqual(ofTwo.got, ['two', 1, 2, 3]);
  });

  it('a part is taken over once, however many look for it', async () => {
    const { open, clock } = world({ shared: true });
    const one = await open(1);
    for (const number of numbers(1, 20)) await one.queue.put(message(number));
    await one.ownership.close();
    const two = await open(2);
    const mine = eager({ concurrency: 3, inOrder: false });
    two.queue.read(mine);
    await Promise.all([two.queue.takeOver(), two.queue.takeOver(), two.queue.takeOver()]);
    await clock.advance(0);
    await two.queue.takeOver();
    await clock.advance(0);
    assert.deepEqual(
      [...mine.got].sort((a, b) => Number(a) - Number(b)),
      numbers(1, 20),
    );
  });

  it('a process that was silent for too long takes in under a new name, and leaves the old part to the other', async () => {
    const { open, clock, slow } = world({ shared: true });
    const one = await open(1);
    const two = await open(2);
    const ofOne = reader();
    const ofTwo = eager();
    one.queue.read(ofOne);
    two.queue.read(ofTwo);
    await clock.advance(0);
    for (const number of numbers(1, 2)) await one.queue.put(message(number));
    await clock.advance(0);
    const before = one.ownership.me;
    await slow.inner.write([{ op: 'delete', space: 'owners', key: before }]);
    await two.queue.takeOver();
    await assert.rejects(one.queue.put(message(3)), { code: 'store', status: 503 });
    await clock.advance(6_000);
    assert.notEqual(one.ownership.me, before);
    await one.queue.put(message(4));
    // The first may be done twice: nobody can know that the silent one is still at it.
    assert.deepEqual(ofTwo.got, [1, 2]);
    ofOne.ends[0]?.done();
    await clock.advance(2_000);
    assert.deepEqual(ofOne.got, [1, 4]);
  });
});
