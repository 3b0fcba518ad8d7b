import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Deliver, Incoming } from '#sdk';
import { systemClock } from '../../../src/core/clock.ts';
import { Life } from '../../../src/core/life.ts';
import { eventually } from '../../support/eventually.ts';
import { kafkaJars } from '../../support/kafka-jars.ts';
import { howToGetKafka, type KafkaServer, sharedKafka } from '../../support/kafka-server.ts';
import { committed, createTopic, fresh, openedSource, publish } from './support.ts';

/** A member of a group whose flow takes `ms` for each record, and what it did. */
class Worker {
  readonly done: string[] = [];
  readonly given: string[] = [];
  underWay = 0;
  aborted = 0;
  #held: PromiseWithResolvers<void> | undefined;
  readonly deliver: Deliver = async (message: Incoming) => {
    const life = new Life(systemClock);
    const record = String(message.key);
    try {
      // One lane after the other, as the settlement has it.
      await this.#turn(String(message.lane));
      message.onStart?.(life, record);
      life.check();
      this.given.push(record);
      this.underWay++;
      try {
        if (this.#held) await life.race(this.#held.promise);
        this.done.push(record);
      } catch (thrown) {
        this.aborted++;
        throw thrown;
      } finally {
        this.underWay--;
      }
      return undefined;
    } finally {
      this.#leave(String(message.lane));
      life.end();
    }
  };
  readonly #lanes = new Map<string, (() => void)[]>();

  #turn(lane: string): Promise<void> {
    const waiting = this.#lanes.get(lane);
    if (!waiting) {
      this.#lanes.set(lane, []);
      return Promise.resolve();
    }
    return new Promise((resolve) => waiting.push(resolve));
  }

  #leave(lane: string): void {
    const next = this.#lanes.get(lane)?.shift();
    if (next) next();
    else this.#lanes.delete(lane);
  }

  /** What begins from now on does not end before {@link go}. */
  hold(): void {
    this.#held = Promise.withResolvers();
  }

  go(): void {
    this.#held?.resolve();
  }

  partitions(): ReadonlySet<string> {
    return new Set(this.given.map((record) => record.split('/')[1] ?? ''));
  }
}

const jars = await kafkaJars();
if ('missing' in jars) test('kafka: groups', { skip: `${howToGetKafka} (${jars.missing})` }, () => {});
else
  describe(`kafka: groups, on Kafka ${jars.version}`, { concurrency: 4 }, () => {
    let server: KafkaServer;
    before(async () => {
      const started = await sharedKafka();
      assert.ok(started);
      server = started;
    });
    after(() => server[Symbol.asyncDispose]());

    const topicWith = async (partitions: number, each: number): Promise<string> => {
      const topic = fresh();
      await createTopic(server.brokers, topic, partitions);
      const lines = Array.from({ length: each }, (_, index) => `${index}`);
      for (let partition = 0; partition < partitions; partition++)
        if (each > 0) await publish(server.brokers, topic, lines, ['-p', `${partition}`]);
      return topic;
    };

    const member = (t: TestContext, topic: string, group: string, worker: Worker, more: object = {}) => {
      // A source closes when nothing is under way any more.
      t.after(() => worker.go());
      const times = { session: 3_000, heartbeat: 100, commitEvery: 100 };
      const options = { brokers: server.brokers, topics: [topic], group, ...times, ...more };
      return openedSource(t, options, { deliver: worker.deliver, name: group });
    };

    const all = (topic: string, partitions: number, each: number): readonly string[] =>
      Array.from(
        { length: partitions * each },
        (_, n) => `${topic}/${n % partitions}/${Math.floor(n / partitions)}`,
      ).toSorted();

    test('a second member takes half of the partitions; every record is done once, in the order of its partition', async (t) => {
      const topic = await topicWith(4, 0);
      const group = fresh('g');
      const [first, second] = [new Worker(), new Worker()];
      const one = await member(t, topic, group, first);
      await eventually('it is ready', () => one.source.ready === true, 20_000);
      const publishing = (async () => {
        for (let n = 0; n < 10; n++) {
          const lines = Array.from({ length: 25 }, () => 'x');
          for (let partition = 0; partition < 4; partition++)
            await publish(server.brokers, topic, lines, ['-p', `${partition}`]);
        }
      })();
      await eventually('the first works', () => first.done.length > 50, 20_000);
      await member(t, topic, group, second);
      await publishing;
      await eventually('all is done', () => first.done.length + second.done.length >= 1000, 20_000);
      assert.deepEqual([...first.done, ...second.done].toSorted(), all(topic, 4, 250));
      assert.equal(second.partitions().size, 2);
      for (const worker of [first, second]) {
        for (const partition of worker.partitions()) {
          const mine = worker.done
            .filter((one) => one.split('/')[1] === partition)
            .map((one) => Number(one.split('/')[2]));
          assert.deepEqual(
            mine,
            mine.toSorted((a, b) => a - b),
          );
        }
      }
    });

    test('what is under way in a partition that goes is finished and committed before another one gets it', async (t) => {
      const topic = await topicWith(2, 5);
      const group = fresh('g');
      const [first, second] = [new Worker(), new Worker()];
      first.hold();
      await member(t, topic, group, first);
      await eventually('both partitions are worked on', () => first.underWay === 2, 20_000);
      await member(t, topic, group, second);
      await eventually('the group shares out', () => first.underWay === 2 && second.underWay === 0);
      first.go();
      await eventually('all is done', () => first.done.length + second.done.length >= 10, 20_000);
      assert.deepEqual([...first.done, ...second.done].toSorted(), all(topic, 2, 5));
      assert.equal(first.aborted, 0);
    });

    test('what takes too long in a partition that goes is given up here, and done by the other member', async (t) => {
      const topic = await topicWith(2, 1);
      const group = fresh('g');
      const [first, second] = [new Worker(), new Worker()];
      first.hold();
      const one = await member(t, topic, group, first);
      await eventually('both partitions are worked on', () => first.underWay === 2, 20_000);
      await member(t, topic, group, second);
      await eventually('the other one does it', () => second.done.length === 1, 20_000);
      assert.equal(first.aborted, 1);
      assert.equal(first.underWay, 1);
      assert.equal(one.source.ready, true);
    });

    test('a flow that takes longer than the session loses nothing: signs of life go on', async (t) => {
      const topic = await topicWith(1, 3);
      const group = fresh('g');
      const [slow, idle] = [new Worker(), new Worker()];
      slow.hold();
      await member(t, topic, group, slow, { session: 1_000 });
      await eventually('it works', () => slow.underWay === 1, 20_000);
      await member(t, topic, group, idle, { session: 1_000 });
      const since = performance.now();
      await eventually('three sessions pass', () => performance.now() - since > 3_000);
      assert.deepEqual(idle.given, []);
      slow.go();
      await eventually('all is done', () => slow.done.length === 3);
      await eventually('all is committed', async () => (await committed(server.brokers, group, topic)).get(0) === 3);
      assert.deepEqual(slow.given, slow.done);
    });

    test('a member that leaves hands its partitions over at once, without a duplicate', async (t) => {
      const topic = await topicWith(4, 50);
      const group = fresh('g');
      const [first, second] = [new Worker(), new Worker()];
      // Longer than the test: only leaving can end the first membership.
      const slow = { session: 60_000, heartbeat: 100 };
      const one = await member(t, topic, group, first, slow);
      await member(t, topic, group, second, slow);
      await eventually('all is done', () => first.done.length + second.done.length >= 200, 20_000);
      await one.source.stop();
      await one.source.close();
      for (let partition = 0; partition < 4; partition++)
        await publish(server.brokers, topic, ['x'], ['-p', `${partition}`]);
      await eventually('the second does the rest', () => first.done.length + second.done.length >= 204, 20_000);
      assert.deepEqual([...first.done, ...second.done].toSorted(), all(topic, 4, 51));
    });

    test('partitions that are added to a topic are read from their beginning', async (t) => {
      const topic = await topicWith(1, 1);
      const group = fresh('g');
      const worker = new Worker();
      // A clock that has no patience for the half minute between two looks.
      const hurried = {
        now: () => systemClock.now(),
        monotonic: () => systemClock.monotonic(),
        after: (ms: number, run: () => void, background?: boolean) =>
          systemClock.after(ms === 30_000 ? 100 : ms, run, background),
      };
      const options = { brokers: server.brokers, topics: [topic], group, from: 'latest' as const };
      const { source } = await openedSource(t, options, { deliver: worker.deliver, clock: hurried });
      await eventually('it is ready', () => source.ready === true, 20_000);
      const { Admin } = await import('@platformatic/kafka');
      const admin = new Admin({ clientId: 'tests', bootstrapBrokers: [server.brokers] });
      await admin.createPartitions({ topics: [{ name: topic, count: 2, assignments: [{ brokerIds: [1] }] }] });
      await admin.close();
      await eventually('it is there', () =>
        publish(server.brokers, topic, ['x'], ['-p', '1']).then(
          () => true,
          () => false,
        ),
      );
      await eventually('it is read', () => worker.done.includes(`${topic}/1/0`), 20_000);
    });
  });
