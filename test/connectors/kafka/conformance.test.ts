import { after, describe, test } from 'node:test';
import { kafka } from '../../../connectors/kafka/index.ts';
import { once } from '../../../src/core/once.ts';
import { behind } from '../../support/conformance.ts';
import { describeEndpoint, type EndpointPeer, type Received } from '../../support/endpoint-conformance.ts';
import { freePort } from '../../support/free-port.ts';
import { kafkaJars } from '../../support/kafka-jars.ts';
import { howToGetKafka, RealKafka } from '../../support/kafka-server.ts';
import { describeSource, type SourcePeer } from '../../support/source-conformance.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { createTopic, endpointOptions, fresh, kcat, publish, sourceOptions } from './support.ts';

interface Line {
  readonly payload: string;
  readonly headers?: readonly string[];
}

function receivedOf({ payload, headers = [] }: Line): Received {
  const pairs = headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1] ?? '']] : []));
  const named = Object.fromEntries(pairs) as Readonly<Record<string, string>>;
  return { text: payload, headers: named, contentType: named['content-type'] };
}

function describeKafka(): void {
  const ends = new AsyncDisposableStack();
  after(() => ends.disposeAsync());

  const peer = once(async (): Promise<SourcePeer & EndpointPeer> => {
    const port = await freePort();
    const proxy = ends.use(await TcpProxy.before(port));
    const far = `127.0.0.1:${proxy.port}`;
    const server = await RealKafka.start({
      listeners: [{ at: `PROXIED://127.0.0.1:${port}`, told: `PROXIED://${far}` }],
    });
    if (!server) throw new Error('there is no Kafka');
    ends.use(server);
    const newTopic = async (): Promise<string> => {
      const topic = fresh();
      // Where several come one after the other, they are of one partition.
      await createTopic(server.brokers, topic, 1);
      return topic;
    };
    return {
      ...behind(proxy),
      async place() {
        const topic = await newTopic();
        return {
          options: sourceOptions({
            brokers: [far],
            topics: [topic],
            group: fresh('g'),
            session: 2_000,
            heartbeat: 100,
          }),
          async publish(texts) {
            await publish(server.brokers, topic, texts);
          },
        };
      },
      async target() {
        const topic = await newTopic();
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
    };
  });

  describeSource({
    name: 'kafka',
    connector: kafka,
    peer,
    except: {
      'a message under way when the connection breaks comes again; its late end does no harm':
        'it does not come again while this process is a member of the group, which lives through the loss of a connection',
    },
    refused: [
      {
        title: 'a topic that is not there',
        options: async (far) => ({ ...((await far.place()).options as object), topics: ['nowhere'] }),
        says: /The topic nowhere .*it does not exist: create it/,
      },
    ],
  });

  describeEndpoint({
    name: 'kafka',
    connector: kafka,
    peer,
    refused: [
      {
        title: 'a topic that is not there',
        options: async (far) => ({ ...((await far.target()).options as object), topic: 'nowhere' }),
        says: /The topic nowhere .*it does not exist: create it/,
      },
    ],
  });
}

const jars = await kafkaJars();
if ('missing' in jars)
  test('kafka: what every source and every endpoint owes', { skip: `${howToGetKafka} (${jars.missing})` }, () => {});
else describe(`Kafka ${jars.version}`, describeKafka);
