import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure, failure } from '#sdk';
import { Entry, Lane } from '../../../connectors/kafka/lane.ts';
import type { Outgoing } from '../../../connectors/kafka/outgoing.ts';
import { Partitioner } from '../../../connectors/kafka/partitioner.ts';
import { explain } from '../../../connectors/kafka/trouble.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { Life } from '../../../src/core/life.ts';

const record = (size = 10): Outgoing => ({
  topic: 't',
  partition: undefined,
  key: undefined,
  value: Buffer.alloc(0),
  headers: new Map(),
  timestamp: 0n,
  size,
});

/** An entry, and what its sender heard. */
function entry(size?: number): { readonly entry: Entry; readonly heard: unknown[] } {
  const heard: unknown[] = [];
  const made = new Entry(
    record(size),
    'events',
    () => heard.push('written'),
    (error) => heard.push(error),
  );
  return { entry: made, heard };
}

const filled = (...sizes: readonly number[]) => {
  const lane = new Lane('t', 0);
  lane.begin({ id: 1n, epoch: 0 });
  const all = sizes.map((size) => entry(size));
  lane.waiting.push(...all.map((one) => one.entry));
  return { lane, all, entries: all.map((one) => one.entry) };
};

describe('what goes to one partition', () => {
  test('batches take what there is room for, at least one record', () => {
    const { lane, entries } = filled(60, 60, 500, 10);
    assert.deepEqual(lane.next(130), entries.slice(0, 2));
    assert.deepEqual(lane.next(130), entries.slice(2, 3));
    assert.deepEqual(lane.next(130), entries.slice(3));
    assert.deepEqual(lane.next(130), []);
  });

  test('what was written moves the count on; it wraps as the protocol says', () => {
    const { lane, all } = filled(1, 1);
    lane.sequence = 0x7fffffff;
    lane.written(lane.next(100));
    assert.equal(lane.sequence, 1);
    assert.deepEqual(
      all.map(({ heard }) => heard),
      [['written'], ['written']],
    );
  });

  test('what is in doubt goes again as it was, under its number, before anything that came since', () => {
    const { lane, entries } = filled(1, 1);
    const batch = lane.next(100);
    lane.unknown(batch);
    lane.waiting.push(entry().entry);
    assert.deepEqual(lane.next(100), entries);
    // That the broker surely did not take it the second time says nothing about the first.
    lane.unwritten(entries);
    assert.deepEqual(lane.next(100), entries);
    assert.equal(lane.sequence, 0);
  });

  test('what the broker surely does not have goes again together with what came since', () => {
    const { lane, entries } = filled(1, 1);
    lane.unwritten(lane.next(100));
    const later = entry();
    lane.waiting.push(later.entry);
    assert.deepEqual(lane.next(100), [...entries, later.entry]);
  });

  test('what is too large together goes one by one', () => {
    const { lane, entries } = filled(1, 1, 1);
    lane.split(lane.next(100));
    for (const one of entries) {
      assert.deepEqual(lane.next(100), [one]);
      lane.written([one]);
    }
    assert.equal(lane.sequence, 3);
  });

  test('a doubtful batch for which nobody waits any more ends the count: its number must not be used again', () => {
    const { lane, all } = filled(1);
    const before = lane.identity;
    lane.unknown(lane.next(100));
    for (const { entry: one } of all) one.fail(failure('deadline'));
    lane.tidy();
    assert.equal(lane.identity, undefined);
    assert.equal(lane.spent, before);
    assert.equal(lane.idle, true);
  });

  test('a doubtful batch stays whole while anybody waits for a part of it', () => {
    const { lane, all, entries } = filled(1, 1);
    lane.unknown(lane.next(100));
    all[0]?.entry.fail(failure('deadline'));
    lane.tidy();
    assert.deepEqual(lane.next(100), entries);
    lane.written(entries);
    assert.deepEqual(all[1]?.heard, ['written']);
    assert.equal(all[0]?.heard.length, 1);
  });
});

describe('a record whose message is over', () => {
  const over = async (prepare: (one: Entry) => void, down?: string): Promise<Failure> => {
    const { entry: one, heard } = entry();
    const clock = new VirtualClock();
    const life = new Life(clock, { deadline: 100, late: () => failure('timeout', { what: 'It', ms: 100 }) });
    one.follow(
      life,
      () => down,
      () => {},
    );
    prepare(one);
    await clock.advance(100);
    const [error] = heard;
    assert.ok(error instanceof Failure);
    return error;
  };

  test('was not sent: the error says so', async () => {
    const waited = await over(() => {});
    assert.deepEqual([waited.code, waited.facts['sent']], ['connection', false]);
    const away = await over(() => {}, 'nobody listens there');
    assert.deepEqual([away.code, away.facts['sent']], ['connection', false]);
    assert.match(away.message, /nobody listens there/);
  });

  test('was sent, and the connection broke: nobody knows', async () => {
    const error = await over((one) => {
      one.sent = true;
      one.trouble = 'the connection was cut';
    });
    assert.deepEqual([error.code, error.facts['sent']], ['connection', true]);
  });

  test('was sent, and the broker takes its time: that is what it says', async () => {
    const error = await over((one) => {
      one.sent = true;
    });
    assert.equal(error.code, 'timeout');
  });
});

describe('the partition of a record', () => {
  const partitioner = (): Partitioner =>
    new Partitioner(
      (key) => -key.length,
      () => 0.5,
    );

  test('is the one that is asked for, and must be there', () => {
    assert.equal(partitioner().of({ topic: 't', key: Buffer.from('k'), partition: 2 }, 3), 2);
    assert.throws(
      () => partitioner().of({ topic: 't', key: undefined, partition: 3 }, 3),
      /the topic t has no partition 3: they end with 2/,
    );
  });

  test('without a key is one for all that go together, then the next', () => {
    const one = partitioner();
    const free = { topic: 't', key: undefined, partition: undefined };
    assert.deepEqual([one.of(free, 4), one.of(free, 4)], [2, 2]);
    one.moveOn('t', 1, 4);
    assert.equal(one.of(free, 4), 2);
    one.moveOn('t', 2, 4);
    assert.equal(one.of(free, 4), 3);
    one.moveOn('t', 3, 4);
    assert.equal(one.of(free, 4), 0);
  });
});

describe('what an error of the library is', () => {
  test('the text of an error never holds what the library wrote: no address, no secret', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:9092 password=hunter2'), {
      code: 'ECONNREFUSED',
    });
    const thrown = Object.assign(new Error('Connection to secret.example failed'), { cause });
    const { detail, hopeless } = explain(
      Object.assign(new AggregateError([thrown], 'x'), { code: 'PLT_KFK_MULTIPLE' }),
    );
    assert.equal(detail, 'nobody listens there (ECONNREFUSED)');
    assert.notEqual(hopeless, true);
    assert.equal(explain(new Error('hunter2')).detail, 'the brokers cannot be reached');
    assert.equal(explain('hunter2').detail, 'the brokers cannot be reached');
  });
});
