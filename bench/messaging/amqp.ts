import { existsSync } from 'node:fs';
import { connect } from 'amqplib';
import { RabbitmqServer, rabbitmqProgram } from '../../test/support/rabbitmq-server.ts';
import type { Messaging } from './messaging.ts';

/** In memory where there is such a place: the programs are measured, not the disk of this machine. */
const within = existsSync('/dev/shm') ? '/dev/shm' : undefined;

export const amqpMessaging: Messaging = {
  name: 'amqp',
  title: 'AMQP 0-9-1 (RabbitMQ), confirms',
  missing: () =>
    rabbitmqProgram === undefined ? 'RabbitMQ is not installed: apt-get install rabbitmq-server' : undefined,
  async open() {
    const broker = await RabbitmqServer.start(within === undefined ? {} : { within });
    const connection = await connect(broker.url, { noDelay: true });
    const channel = await connection.createConfirmChannel();
    let took: (queue: string, content: Buffer) => void = () => {};
    return {
      url: broker.url,
      async prepare(who) {
        for (const queue of [`${who}.in`, `${who}.out`]) {
          await channel.assertQueue(queue, { arguments: { 'x-queue-type': 'classic' } });
        }
        const out = `${who}.out`;
        await channel.consume(out, (message) => message && took(out, message.content), { noAck: true });
      },
      async fill(who, count, body) {
        const content = Buffer.from(body);
        for (let left = count; left > 0; left--) {
          channel.sendToQueue(`${who}.in`, content, { persistent: true, contentType: 'application/json' });
          if (left % 1000 === 1) await channel.waitForConfirms();
        }
      },
      drained: (who, count) =>
        new Promise((resolve) => {
          let left = count;
          took = (queue, content) => {
            if (queue === `${who}.out` && --left === 0) resolve(content.toString());
          };
        }),
      async [Symbol.asyncDispose]() {
        await connection.close();
        await broker[Symbol.asyncDispose]();
      },
    };
  },
};
