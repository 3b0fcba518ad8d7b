import { Consumer, Producer } from '@platformatic/kafka';
import { createTopic } from '../../test/connectors/kafka/support.ts';
import { hasKafkaJars } from '../../test/support/kafka-jars.ts';
import { howToGetKafka, sharedKafka } from '../../test/support/kafka-server.ts';
import type { Messaging } from './messaging.ts';

const partitions = 4;
/** So many records go together into the broker. */
const together = 500;

export const kafkaMessaging: Messaging = {
  name: 'kafka',
  title: 'Kafka, acks=all',
  optional: true,
  missing: () => (hasKafkaJars() ? undefined : howToGetKafka),
  async open() {
    const broker = await sharedKafka();
    if (!broker) throw new Error('there is no Kafka');
    const base = { clientId: 'bench', bootstrapBrokers: [broker.brokers] };
    const producer = new Producer({ ...base, acks: -1 });
    const readers: Consumer[] = [];
    let took: (topic: string, value: Buffer) => void = () => {};
    return {
      url: broker.brokers,
      async prepare(who) {
        for (const topic of [`${who}.in`, `${who}.out`]) await createTopic(broker.brokers, topic, partitions);
        const reader = new Consumer({ ...base, groupId: `bench-${who}` });
        readers.push(reader);
        const topic = `${who}.out`;
        const stream = await reader.consume({ topics: [topic], mode: 'earliest', autocommit: false });
        stream.on('data', ({ value }) => took(topic, value));
      },
      async fill(who, count, body) {
        for (let left = count; left > 0; left -= together) {
          const messages = Array.from({ length: Math.min(left, together) }, (_, index) => ({
            topic: `${who}.in`,
            key: Buffer.from(`${index}`),
            value: Buffer.from(body),
          }));
          await producer.send({ messages });
        }
      },
      drained: (who, count) =>
        new Promise((resolve) => {
          let left = count;
          took = (topic, value) => {
            if (topic === `${who}.out` && --left === 0) resolve(value.toString());
          };
        }),
      async [Symbol.asyncDispose]() {
        await Promise.all([...readers.map((reader) => reader.close(true)), producer.close()]);
        await broker[Symbol.asyncDispose]();
      },
    };
  },
};
