import { test } from 'node:test';
import { kafka } from '../../../connectors/kafka/index.ts';
import { describeEndpoint, type Received } from '../../support/endpoint-conformance.ts';
import { freePort } from '../../support/free-port.ts';
import { kafkaJars } from '../../support/kafka-jars.ts';
import { howToGetKafka, RealKafka } from '../../support/kafka-server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { createTopic, endpointOptions, fresh, kcat } from './support.ts';

interface Line {
  readonly payload: string;
  readonly headers?: readonly string[];
}

function receivedOf({ payload, headers = [] }: Line): Received {
  const pairs = headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1] ?? '']] : []));
  const named = Object.fromEntries(pairs) as Readonly<Record<string, string>>;
  return { text: payload, headers: named, contentType: named['content-type'] };
}

const jars = await kafkaJars();
if ('missing' in jars)
  test('kafka: what every endpoint owes', { skip: `${howToGetKafka} (${jars.missing})` }, () => {});
else
  describeEndpoint({
    name: `kafka (Kafka ${jars.version})`,
    connector: kafka,
    peer: async () => {
      const port = await freePort();
      const proxy = await TcpProxy.before(port);
      const far = `127.0.0.1:${proxy.port}`;
      const server = await RealKafka.start({
        listeners: [{ at: `PROXIED://127.0.0.1:${port}`, told: `PROXIED://${far}` }],
      });
      if (!server) throw new Error('there is no Kafka');
      return {
        async target() {
          const topic = fresh();
          await createTopic(server.brokers, topic, 1);
          return {
            options: endpointOptions({ brokers: far }),
            operation: { topic },
            async received() {
              const text = await kcat(server.brokers, ['-C', '-t', topic, '-o', 'beginning', '-e', '-J']);
              const lines = text.split('\n').filter((line) => line !== '');
              return lines.map((line) => receivedOf(JSON.parse(line) as Line));
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
    refused: [
      {
        title: 'a topic that is not there',
        options: async (peer) => ({ ...((await peer.target()).options as object), topic: 'nowhere' }),
        says: /The topic nowhere .*it does not exist: create it/,
      },
    ],
  });
