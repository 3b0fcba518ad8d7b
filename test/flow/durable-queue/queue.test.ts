import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Body, type Deliver, type Failure, type Incoming, type QueueReader } from '#sdk';
import { VirtualClock } from '../../../src/core/clock.ts';
import { seededRandom } from '../../../src/core/random.ts';
import { failure } from '../../../src/errors.ts';
import { StoredQueue } from '../../../src/flow/durable-queue/queue.ts';
import { Ownership } from '../../../src/flow/ownership.ts';
import { codec } from '../../../src/format/codec.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import type { ListOptions, Store, Write, Written } from '../../../src/store/store.ts';
import { type RecordingLog, recordingLog } from '../../support/plain-context.ts';

/** A store whose writes wait until the test lets them go, in any order, or fail. */
class SlowStore {
  readonly inner: Store;
  readonly shared: boolean;
  /** Puts that wait. */
  held: { readonly batch: readonly Write[]; readonly go: () => void; readonly fail: (error: Failure) => void }[] = [];
  holding = false;
  largestPage = 0;
  lists = 0;
  failing: Failure | undefined;

  constructor(inner: Store, shared = false) {
    this.inner = inner;
    this.shared = shared;
  }

  get(space: string, key: string) {
    return this.failing ? Promise.reject(this.failing) : this.inner.get(space, key);
  }

  async list(space: string, options: ListOptions) {
    if (this.failing) throw this.failing;
    this.lists++;
    const page = await this.inner.list(space, options);
    this.largestPage = Math.max(this.largestPage, page.entries.length);
    return page;
  }

  write(batch: readonly Write[]): Promise<Written> {
    if (this.failing) return Promise.reject(this.failing);
    if (!this.holding) return this.inner.write(batch);
    return new Promise((resolve, reject) => {
      this.held.push({ batch, go: () => resolve(this.inner.write(batch)), fail: reject });
    });
  }
}

interface World {
  readonly clock: VirtualClock;
  readonly log: RecordingLog;
  readonly slow: SlowStore;
  readonly open: (seed?: number) => Promise<{ queue: StoredQueue; ownership: Ownership }>;
}

function world({ shared = false, inner }: { shared?: boolean; inner?: Store } = {}): World {
  const clock = new VirtualClock();
  const log = recordingLog();
  const slow = new SlowStore(inner ?? new MemoryStore(clock, log), shared);
  const store = slow as unknown as Store;
  return {
    clock,
    log,
    slow,
    async open(seed = 1) {
      const services = { clock, log, random: seededRandom(seed), codec };
      const ownership = new Ownership(store, services);
      await ownership.open();
      return { queue: new StoredQueue('jobs', { store, ownership, services }), ownership };
    },
  };
}

const message = (value: unknown): Incoming => ({
  body: Body.value(value),
  headers: { __proto__: null, 'x-a': 'b' } as unknown as Incoming['headers'],
  origin: { receivedAt: 5, attempt: 1, source: { channel: 'jobs' }, params: { id: '7' } },
});

/** A reader whose messages the test ends. */
function reader(options: Partial<QueueReader> = {}) {
  const got: unknown[] = [];
  const ends: { readonly done: () => void; readonly fail: (error: Failure) => void }[] = [];
  const deliver: Deliver = async (incoming) => {
    got.push(await incoming.body.value(codec));
    await new Promise<void>((resolve, reject) => ends.push({ done: resolve, fail: reject }));
    return undefined;
  };
  const all: QueueReader = { flow: 'f', deliver, concurrency: 1, inOrder: true, capacity: 1000, ...options };
  return { ...all, got, ends };
}

/** One that does everything at once. */
function eager(options: Partial<QueueReader> = {}) {
  const got: unknown[] = [];
  const deliver: Deliver = async (incoming) => {
    got.push(await incoming.body.value(codec));
    return undefined;
  };
  const all: QueueReader = { flow: 'f', deliver, concurrency: 1, inOrder: true, capacity: 1_000_000, ...options };
  return { ...all, got };
}

const numbers = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

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
