import { test } from 'node:test';
import { kafka } from '../../../connectors/kafka/index.ts';
import { freePort } from '../../support/free-port.ts';
import { kafkaJars } from '../../support/kafka-jars.ts';
import { howToGetKafka, RealKafka } from '../../support/kafka-server.ts';
import { describeSource } from '../../support/source-conformance.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { createTopic, fresh, publish, sourceOptions } from './support.ts';

const jars = await kafkaJars();
if ('missing' in jars) test('kafka: what every source owes', { skip: `${howToGetKafka} (${jars.missing})` }, () => {});
else {
  describeSource({
    name: `kafka (Kafka ${jars.version})`,
    connector: kafka,
    peer: async () => {
      const port = await freePort();
      const proxy = await TcpProxy.before(port);
      const told = `PROXIED://127.0.0.1:${proxy.port}`;
      const server = await RealKafka.start({ listeners: [{ at: `PROXIED://127.0.0.1:${port}`, told }] });
      if (!server) throw new Error('there is no Kafka');
      return {
        async place() {
          const topic = fresh();
          // Where several come one after the other, they are of one partition.
          await createTopic(server.brokers, topic, 1);
          return {
            options: sourceOptions({
              brokers: [`127.0.0.1:${proxy.port}`],
              topics: [topic],
              group: fresh('g'),
              session: 2_000,
              heartbeat: 100,
            }),
            async publish(texts: readonly string[]) {
              await publish(server.brokers, topic, texts);
            },
          };
        },
        cut: () => proxy.reset(),
        down: () => proxy.down(),
        up: () => proxy.up(),
        async close() {
          await proxy[Symbol.asyncDispose]();
          await server[Symbol.asyncDispose]();
        },
      };
    },
    except: {
      'a message under way when the connection breaks comes again; its late end does no harm':
        'it does not come again while this process is a member of the group, which lives through the loss of a connection',
    },
    refused: [
      {
        title: 'a topic that is not there',
        options: async (peer) => ({ ...((await peer.place()).options as object), topics: ['nowhere'] }),
        says: /The topic nowhere .*it does not exist: create it/,
      },
    ],
  });
}
