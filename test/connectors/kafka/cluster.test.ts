import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Body } from '#sdk';
import { eventually } from '../../support/eventually.ts';
import { kafkaJars } from '../../support/kafka-jars.ts';
import { howToGetKafka, RealKafka } from '../../support/kafka-server.ts';
import { outgoing } from '../../support/plain-context.ts';
import { createTopic, fresh, openedEndpoint, openedSource, recordsOf } from './support.ts';

const jars = await kafkaJars();
if (!process.env['KAFKA_CLUSTER'])
  test('kafka: clusters', { skip: 'takes a minute and three brokers: set KAFKA_CLUSTER=1' }, () => {});
else if ('missing' in jars) test('kafka: clusters', { skip: `${howToGetKafka} (${jars.missing})` }, () => {});
else
  describe(`kafka: a cluster of three, on Kafka ${jars.version}`, () => {
    let nodes: readonly RealKafka[];
    before(async () => {
      nodes = await RealKafka.cluster(3);
      assert.equal(nodes.length, 3);
    });
    after(() => Promise.all(nodes.map((node) => node[Symbol.asyncDispose]())));

    test('each node is killed in turn while records are written and read: nothing is lost, nothing is written twice', async (t) => {
      const topic = fresh();
      const all = nodes.map(({ brokers }) => brokers);
      await createTopic(all.join(','), topic, 6);
      const { endpoint, context } = await openedEndpoint(t, { brokers: all, topic });
      const options = { brokers: all, topics: [topic], group: fresh('g'), session: 30_000 };
      const reader = await openedSource(t, options, { done: true });
      let sent = 0;
      let going = true;
      t.after(() => {
        going = false;
      });
      const writer = async (name: number): Promise<void> => {
        for (let n = 0; going; n++) {
          const message = outgoing(context, { body: Body.value(`${name}-${n}`), operation: { key: `${name}` } });
          await endpoint.handle(message);
          sent++;
        }
      };
      const writers = Promise.all(Array.from({ length: 12 }, (_, name) => writer(name)));
      writers.catch(() => undefined);
      const more = async (): Promise<void> => {
        const [written, read] = [sent, reader.flow.deliveries.length];
        await eventually(
          'records are written and read',
          () => sent > written + 300 && reader.flow.deliveries.length > read + 300,
          40_000,
        );
      };
      await more();
      for (const node of nodes) {
        await node.kill();
        await more();
        await node.start();
        await more();
      }
      going = false;
      await writers;
      await eventually('all are read', () => new Set(reader.texts()).size === sent, 40_000);
      const there = await recordsOf(all.join(','), topic);
      assert.equal(there.length, sent);
      assert.equal(new Set(there).size, sent);
      // A coordinator that died with its node may not have had the last commit.
      assert.ok(reader.texts().length <= sent + 3 * 500, `${reader.texts().length - sent} came twice`);
    });
  });
