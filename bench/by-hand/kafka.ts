/**
 * `node kafka.ts URL IN OUT`: a loop over @platformatic/kafka that keeps the same promise, at least once: what has come so
 * far is mapped and written together, and committed when all replicas have it.
 */
import { Consumer, type Message, Producer } from '@platformatic/kafka';
import { mapped, order } from './order.ts';

const [url = '', from = '', to = ''] = process.argv.slice(2);
const base = { clientId: 'by-hand', bootstrapBrokers: [url] };
const producer = new Producer({ ...base, idempotent: true });
const consumer = new Consumer({ ...base, groupId: 'by-hand' });
const stream = await consumer.consume({
  topics: [from],
  mode: 'committed',
  fallbackMode: 'earliest',
  autocommit: false,
  maxWaitTime: 500,
});

/** As many as the integration has under way. */
const most = 200;
let come: Message[] = [];
let busy = false;

async function work(): Promise<void> {
  busy = true;
  while (come.length > 0) {
    const some = come.slice(0, most);
    come = come.slice(most);
    await producer.send({
      messages: some.map(({ key, value }) => ({ topic: to, key, value: Buffer.from(mapped(order(value))) })),
    });
    const last = new Map(some.map((one) => [one.partition, one]));
    await consumer.commit({
      offsets: [...last.values()].map(({ topic, partition, offset, leaderEpoch }) => ({
        topic,
        partition,
        offset: offset + 1n,
        leaderEpoch,
      })),
    });
  }
  busy = false;
}

stream.on('data', (message) => {
  come.push(message);
  if (!busy) void work();
});
process.send?.({});
process.on('disconnect', () => process.exit());
