/** What the connector does on every cluster, also on the mock cluster that is all there is in some places. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Body, Failure, failure } from '#sdk';
import { Life } from '../../../src/core/life.ts';
import type { KafkaServer } from '../../support/kafka-server.ts';
import { outgoing } from '../../support/plain-context.ts';
import { committed, createTopic, fresh, openedEndpoint, openedSource, publish, recordsOf } from './support.ts';

export function describeCore(title: string, start: () => Promise<KafkaServer>, hasTopics: boolean): void {
  // The mock cluster lets each group wait for three seconds.
  describe(`kafka on ${title}`, { concurrency: 6 }, () => {
    let server: KafkaServer;
    before(async () => {
      server = await start();
    });
    after(() => server[Symbol.asyncDispose]());

    /** With four partitions. */
    const topicMade = async (): Promise<string> => {
      const topic = fresh();
      if (hasTopics) await createTopic(server.brokers, topic, 4);
      return topic;
    };

    test('an endpoint writes key, body, headers and content type; another client reads them', async (t) => {
      const topic = await topicMade();
      const { endpoint, context } = await openedEndpoint(t, { brokers: server.brokers, topic });
      assert.equal(endpoint.ready, true);
      const body = Body.value({ n: 1, text: 'Grüße' });
      const ownHeaders = { 'x-kind': 'test', 'x-many': ['1', '2'] };
      await endpoint.handle(outgoing(context, { body, ownHeaders, operation: { key: 'k1', partition: 2 } }));
      assert.deepEqual(await recordsOf(server.brokers, topic, '%p|%o|%k|%s|%h'), [
        '2|0|k1|{"n":1,"text":"Grüße"}|content-type=application/json,x-kind=test,x-many=1,x-many=2',
      ]);
    });

    test('records with a key go where other clients put them; those without spread', async (t) => {
      const topic = await topicMade();
      const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);
      const { endpoint, context } = await openedEndpoint(t, { brokers: server.brokers });
      const send = (operation: object) =>
        endpoint.handle(outgoing(context, { body: Body.value('x'), operation: { topic, ...operation } }));
      await Promise.all(keys.map((key) => send({ key })));
      // The partitioner that the Java client has, written down by another client.
      const theirs = await topicMade();
      const lines = keys.map((key) => `${key}:x`);
      await publish(server.brokers, theirs, lines, ['-K', ':', '-X', 'topic.partitioner=murmur2_random']);
      const where = async (of: string) => (await recordsOf(server.brokers, of, '%k %p')).toSorted();
      assert.deepEqual(await where(topic), await where(theirs));
      for (let count = 0; count < 40; count++) await send({});
      const used = new Set((await recordsOf(server.brokers, topic, '%k|%p')).filter((one) => one.startsWith('|')));
      assert.equal(used.size, 4);
    });

    test('parallel sends keep the order of their key, and each is there once', async (t) => {
      const topic = await topicMade();
      const { endpoint, context } = await openedEndpoint(t, { brokers: server.brokers, topic, compression: 'gzip' });
      const numbers = Array.from({ length: 2000 }, (_, index) => index);
      const send = (n: number) =>
        endpoint.handle(outgoing(context, { body: Body.value(n), operation: { key: `k${n % 8}` } }));
      await Promise.all(numbers.map(send));
      const found = (await recordsOf(server.brokers, topic)).map(Number);
      assert.deepEqual(
        found.toSorted((a, b) => a - b),
        numbers,
      );
      for (let key = 0; key < 8; key++) {
        const mine = found.filter((n) => n % 8 === key);
        assert.deepEqual(
          mine,
          mine.toSorted((a, b) => a - b),
        );
      }
    });

    test('a message without a body is a record without a value', async (t) => {
      const topic = await topicMade();
      const { endpoint, context } = await openedEndpoint(t, { brokers: server.brokers, topic });
      await endpoint.handle(outgoing(context, { operation: { key: 'gone', partition: 0 } }));
      assert.deepEqual(await recordsOf(server.brokers, topic, '%k %S'), ['gone -1']);
      const { flow, reached } = await openedSource(t, { brokers: server.brokers, topics: [topic], group: fresh('g') });
      await reached(1);
      assert.equal(flow.at(0).message.body.isEmpty, true);
    });

    test('what cannot be a record is refused before anything is sent', async (t) => {
      const topic = await topicMade();
      const { endpoint, context } = await openedEndpoint(t, { brokers: server.brokers });
      const refused = (operation: object, says: RegExp) =>
        assert.rejects(
          endpoint.handle(outgoing(context, { body: Body.value('x'), operation })),
          (thrown: unknown) => thrown instanceof Failure && thrown.kind === 'permanent' && says.test(thrown.message),
        );
      await refused({}, /neither the call nor its endpoint names a `topic`/);
      await refused({ topic: 'a b' }, /"a b" cannot be the name of a topic/);
      await refused({ topic, key: { a: 1 } }, /the `key` of a record is text/);
      await refused({ topic, partition: 'x' }, /"x" is no `partition`/);
      await refused({ topic, partition: 9 }, /has no partition 9: they end with 3/);
      assert.deepEqual(await recordsOf(server.brokers, topic), []);
    });

    test('a source shows where a record came from, and hands on what it has', async (t) => {
      const topic = await topicMade();
      const headers = ['-H', 'X-Kind=test', '-H', 'content-type=text/plain'];
      await publish(server.brokers, topic, ['k1:hello'], ['-K', ':', '-p', '1', ...headers]);
      const group = fresh('g');
      const { flow, texts, reached } = await openedSource(t, { brokers: server.brokers, topics: [topic], group });
      await reached(1);
      const { message } = flow.at(0);
      assert.deepEqual(texts(), ['hello']);
      assert.equal(message.body.contentType, 'text/plain');
      assert.deepEqual({ ...message.headers }, { 'x-kind': 'test', 'content-type': 'text/plain' });
      const { timestamp, ...rest } = message.origin.source as { timestamp: string };
      assert.deepEqual(rest, { topic, partition: 1, offset: 0, key: 'k1', group });
      assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60_000, timestamp);
      assert.equal(message.key, `${topic}/1/0`);
      assert.equal(message.lane, `${topic}/1`);
      assert.equal(message.origin.attempt, 1);
    });

    test('what is committed never passes a record that is not done', async (t) => {
      const topic = await topicMade();
      await publish(server.brokers, topic, ['0', '1', '2', '3', '4']);
      const group = fresh('g');
      const one = await openedSource(t, { brokers: server.brokers, topics: [topic], group });
      await one.reached(5);
      for (const index of [0, 1, 3, 4]) one.flow.at(index).resolve();
      await one.end();
      assert.equal((await committed(server.brokers, group, topic)).get(0), 2);
      const two = await openedSource(t, { brokers: server.brokers, topics: [topic], group });
      await two.reached(3);
      assert.deepEqual(two.texts(), ['2', '3', '4']);
    });

    test('what is done is committed while others are under way', async (t) => {
      const topic = await topicMade();
      await publish(server.brokers, topic, ['0', '1', '2']);
      const group = fresh('g');
      const { flow, reached } = await openedSource(t, { brokers: server.brokers, topics: [topic], group });
      await reached(3);
      for (const index of [0, 1]) flow.at(index).resolve();
      const deadline = performance.now() + 10_000;
      for (let offset = 0; offset !== 2; ) {
        assert.ok(performance.now() < deadline, `committed: ${offset}`);
        offset = (await committed(server.brokers, group, topic)).get(0) ?? 0;
      }
    });

    test('no more than `prefetch` is handed over, shared out among the partitions', async (t) => {
      const topic = await topicMade();
      const lines = Array.from({ length: 30 }, (_, index) => `${index}`);
      await publish(server.brokers, topic, lines, ['-p', '0']);
      await publish(server.brokers, topic, lines, ['-p', '1']);
      const options = { brokers: server.brokers, topics: [topic], group: fresh('g'), prefetch: 8 };
      const { flow, reached, context } = await openedSource(t, options);
      await reached(4);
      const open = (partition: number) => flow.sources().filter((one) => one?.['partition'] === partition).length;
      // Partition 0 stands still; 1 goes on all the same, two at a time.
      for (let settled = 0, at = 0; settled < 30; at++) {
        await reached(at + 1);
        if (flow.at(at).message.origin.source?.['partition'] !== 1) continue;
        assert.ok(open(1) - settled <= 2, `${open(1) - settled} of one partition are under way`);
        flow.at(at).resolve();
        settled++;
      }
      assert.equal(open(1), 30);
      assert.equal(open(0), 2);
      assert.deepEqual(
        context.log.lines.filter(({ level }) => level !== 'debug'),
        [],
      );
    });

    test('a group that begins with the latest gets what comes from then on, also after a restart', async (t) => {
      const topic = await topicMade();
      await publish(server.brokers, topic, ['old']);
      const options = { brokers: server.brokers, topics: [topic], group: fresh('g'), from: 'latest' as const };
      const one = await openedSource(t, options);
      const deadline = performance.now() + 20_000;
      while ((await committed(server.brokers, options.group, topic)).size < 4) assert.ok(performance.now() < deadline);
      await one.end();
      assert.deepEqual(one.texts(), []);
      await publish(server.brokers, topic, ['new']);
      const two = await openedSource(t, options);
      await two.reached(1);
      assert.deepEqual(two.texts(), ['new']);
    });

    test('a record that the flow gives back is handed over again, and nothing behind it is committed', async (t) => {
      const topic = await topicMade();
      await publish(server.brokers, topic, ['0', '1']);
      const group = fresh('g');
      const { flow, reached, texts, end } = await openedSource(t, { brokers: server.brokers, topics: [topic], group });
      await reached(2);
      flow.at(1).resolve();
      flow.at(0).reject(failure('interrupted', { flow: 'x' }));
      await reached(3);
      assert.deepEqual(texts(), ['0', '1', '0']);
      await end();
      assert.equal((await committed(server.brokers, group, topic)).get(0), 0);
    });

    test('sends wait for a cluster that is away as long as their message lasts, and say that nothing was sent', async (t) => {
      const { endpoint, context } = await openedEndpoint(t, { brokers: '127.0.0.1:1', topic: 'x' });
      assert.equal(endpoint.ready, false);
      const message = outgoing(context, { body: Body.value('x') });
      const late = () => failure('timeout', { what: 'It', ms: 100 });
      const life = new Life(context.clock, { deadline: context.clock.monotonic() + 100, late });
      await assert.rejects(endpoint.handle(message.withLife(life)), (thrown: unknown) => {
        assert.ok(thrown instanceof Failure);
        assert.equal(thrown.code, 'connection');
        assert.equal(thrown.facts['sent'], false);
        assert.match(thrown.message, /nobody listens there \(ECONNREFUSED\)/);
        return true;
      });
      const warned = context.log.lines.filter(({ level }) => level === 'warn');
      assert.equal(warned.length, 1);
      assert.equal(warned[0]?.fields['far'], 'Kafka at 127.0.0.1:1');
    });
  });
}
