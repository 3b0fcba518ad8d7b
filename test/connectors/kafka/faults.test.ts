import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Body, Failure, failure } from '#sdk';
import { Life } from '../../../src/core/life.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { kafkaJars } from '../../support/kafka-jars.ts';
import { howToGetKafka, RealKafka } from '../../support/kafka-server.ts';
import { outgoing } from '../../support/plain-context.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { committed, createTopic, fresh, openedEndpoint, openedSource, publish, recordsOf } from './support.ts';

const jars = await kafkaJars();
if ('missing' in jars) test('kafka: faults', { skip: `${howToGetKafka} (${jars.missing})` }, () => {});
else
  describe(`kafka: faults, on Kafka ${jars.version}`, () => {
    let server: RealKafka;
    let proxy: TcpProxy;
    /** Reached through the proxy. */
    let far: string;
    before(async () => {
      const port = await freePort();
      proxy = await TcpProxy.before(port);
      far = `127.0.0.1:${proxy.port}`;
      const started = await RealKafka.start({
        listeners: [{ at: `PROXIED://127.0.0.1:${port}`, told: `PROXIED://${far}` }],
        settings: { 'log.retention.check.interval.ms': '500' },
      });
      assert.ok(started);
      server = started;
    });
    after(async () => {
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    });

    const topicOf = async (partitions: number, settings = {}): Promise<string> => {
      const topic = fresh();
      await createTopic(server.brokers, topic, partitions, settings);
      return topic;
    };

    test('a broker that is killed and comes back loses nothing, and nothing is there twice', async (t) => {
      const topic = await topicOf(4);
      const group = fresh('g');
      const { endpoint, context } = await openedEndpoint(t, { brokers: server.brokers, topic });
      const options = { brokers: server.brokers, topics: [topic], group, session: 30_000 };
      const reader = await openedSource(t, options, { done: true });
      let sent = 0;
      let failed = 0;
      let going = true;
      t.after(() => {
        going = false;
      });
      const writer = async (name: number): Promise<void> => {
        for (let n = 0; going; n++) {
          const message = outgoing(context, { body: Body.value(`${name}-${n}`), operation: { key: `${name}` } });
          await endpoint.handle(message).then(
            () => sent++,
            (thrown: unknown) => {
              failed++;
              throw thrown;
            },
          );
        }
      };
      const writers = Array.from({ length: 10 }, (_, name) => writer(name));
      await eventually('records are written', () => sent > 500, 30_000);
      await server.kill();
      await eventually('both notice', () => endpoint.ready === false && reader.source.ready === false, 20_000);
      await server.start();
      await eventually('both are back', () => endpoint.ready === true && reader.source.ready === true, 60_000);
      const before = sent;
      await eventually('records are written again', () => sent > before + 500, 30_000);
      going = false;
      await Promise.all(writers);
      assert.equal(failed, 0);
      const there = await recordsOf(server.brokers, topic);
      assert.equal(there.length, sent);
      assert.equal(new Set(there).size, sent);
      await eventually('all are read', () => new Set(reader.texts()).size === sent, 30_000);
      // The member lived through it: what it had read it did not read again.
      assert.equal(reader.texts().length, sent);
    });

    test('connections that are cut while records are written are made anew: each record is there once', async (t) => {
      const topic = await topicOf(2);
      const { endpoint, context } = await openedEndpoint(t, { brokers: far, topic, compression: 'lz4' });
      let sent = 0;
      const writer = async (name: number): Promise<void> => {
        for (let n = 0; n < 300; n++) {
          const message = outgoing(context, { body: Body.value(`${name}-${n}`), operation: { key: `${name}` } });
          await endpoint.handle(message);
          sent++;
          if (sent % 1000 === 0) proxy.reset();
        }
      };
      await Promise.all(Array.from({ length: 20 }, (_, name) => writer(name)));
      const there = await recordsOf(server.brokers, topic);
      assert.equal(there.length, 6000);
      assert.equal(new Set(there).size, 6000);
    });

    test('a connection that is dead though nobody said so is noticed; a call that was in it says that nobody knows', async (t) => {
      const topic = await topicOf(1);
      const { endpoint, context } = await openedEndpoint(t, { brokers: far, topic });
      await endpoint.handle(outgoing(context, { body: Body.value('before') }));
      const group = fresh('g');
      const reader = await openedSource(t, { brokers: far, topics: [topic], group, session: 3_000 }, { done: true });
      await reader.reached(1);
      proxy.mute();
      const late = (): Failure => failure('timeout', { what: 'It', ms: 300 });
      const life = new Life(context.clock, { deadline: context.clock.monotonic() + 300, late });
      const message = outgoing(context, { body: Body.value('lost'), operation: { partition: 0 } }).withLife(life);
      await assert.rejects(endpoint.handle(message), (thrown: unknown) => {
        assert.ok(thrown instanceof Failure);
        assert.equal(thrown.code, 'timeout');
        return true;
      });
      // It was given up while it was under way: the next one must not be taken for its repetition.
      await endpoint.handle(outgoing(context, { body: Body.value('after') }));
      await eventually('the reader is back', () => reader.texts().includes('after'), 40_000);
      assert.ok(reader.texts().filter((text) => text === 'after').length === 1);
      assert.equal(reader.texts().filter((text) => text === 'before').length, 1);
    });

    test('a record that is too large is refused for good, and those beside it are written', async (t) => {
      const topic = await topicOf(1, { 'max.message.bytes': '20000' });
      const { endpoint, context } = await openedEndpoint(t, { brokers: server.brokers, topic });
      const send = (text: string): Promise<unknown> =>
        endpoint.handle(outgoing(context, { body: Body.bytes(text, 'text/plain') })).then(
          () => 'written',
          (thrown: unknown) => thrown,
        );
      const sizes = [5_000, 6_000, 50_000, 7_000, 8_000];
      const results = await Promise.all(sizes.map((size) => send('x'.repeat(size))));
      assert.deepEqual(
        results.map((one) => (one instanceof Failure ? one.code : one)),
        ['written', 'written', 'kafka-message-too-large', 'written', 'written'],
      );
      const [refused] = results.filter((one) => one instanceof Failure);
      assert.equal(refused?.kind, 'permanent');
      assert.match(refused?.message ?? '', /larger than the broker takes \(`max.message.bytes` of the topic\)/);
      const lengths = (await recordsOf(server.brokers, topic, '%S')).map(Number);
      assert.deepEqual(lengths.toSorted(), [5_000, 6_000, 7_000, 8_000]);
      // The count goes on where it was: nothing that comes now is taken for a repetition.
      assert.equal(await send('y'), 'written');
      assert.equal((await recordsOf(server.brokers, topic)).length, 5);
    });

    test('a topic that is not there is an error of the message that names it, not of the next one', async (t) => {
      const topic = await topicOf(1);
      const { endpoint, context } = await openedEndpoint(t, { brokers: server.brokers });
      await assert.rejects(
        endpoint.handle(outgoing(context, { body: Body.value('x'), operation: { topic: 'nowhere' } })),
        (thrown: unknown) => {
          assert.ok(thrown instanceof Failure);
          assert.equal(thrown.code, 'kafka-unknown-topic-or-partition');
          assert.equal(thrown.kind, 'permanent');
          assert.match(thrown.message, /events could not write to the topic nowhere: there is no such topic/);
          return true;
        },
      );
      await endpoint.handle(outgoing(context, { body: Body.value('x'), operation: { topic } }));
      assert.deepEqual(await recordsOf(server.brokers, topic), ['x']);
    });

    test('what a transaction wrote that was aborted is not seen, and does not stand in the way of commits', async (t) => {
      const topic = await topicOf(1);
      const { Producer } = await import('@platformatic/kafka');
      const other = new Producer({ clientId: 'other', bootstrapBrokers: [server.brokers], idempotent: true });
      const write = async (texts: readonly string[], end: 'commit' | 'abort'): Promise<void> => {
        const transaction = await other.beginTransaction({});
        const messages = texts.map((text) => ({ topic, partition: 0, value: Buffer.from(text) }));
        await transaction.send({ messages });
        await transaction[end]();
      };
      await write(['1', '2'], 'commit');
      await write(['3', '4'], 'abort');
      await write(['5'], 'commit');
      await write(['6'], 'abort');
      await other.close();
      const group = fresh('g');
      const { reached, texts } = await openedSource(
        t,
        { brokers: server.brokers, topics: [topic], group },
        { done: true },
      );
      await reached(3);
      // 6 records and a marker for each of the 4 transactions.
      await eventually('all is committed', async () => (await committed(server.brokers, group, topic)).get(0) === 10);
      assert.deepEqual(texts(), ['1', '2', '5']);
    });

    test('a group whose next record is gone goes on with the first that is there, and says what is lost', async (t) => {
      const settings = { 'segment.bytes': '1048576', 'retention.bytes': '1', 'file.delete.delay.ms': '100' };
      const topic = await topicOf(1, settings);
      const options = { brokers: server.brokers, topics: [topic], group: fresh('g') };
      await publish(server.brokers, topic, ['first']);
      const one = await openedSource(t, options, { done: true });
      await one.reached(1);
      await one.end();
      const large = 'x'.repeat(400_000);
      for (let n = 0; n < 8; n++) await publish(server.brokers, topic, [large]);
      await eventually(
        'the log begins later',
        async () => (await recordsOf(server.brokers, topic, '%o'))[0] !== '0',
        30_000,
      );
      const two = await openedSource(t, options, { done: true });
      await two.reached(1);
      const [log] = two.context.log.lines.filter(({ level }) => level === 'error');
      assert.equal(log?.message, 'records are gone before they were read');
      assert.equal(log?.fields['offset'], 1);
      assert.equal(two.flow.at(0).message.origin.source?.['offset'], log?.fields['goesOnWith']);
    });
  });
