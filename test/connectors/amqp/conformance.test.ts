import { connect } from 'amqplib';
import { amqp } from '../../../connectors/amqp/index.ts';
import { withPackage } from '../../support/debian-server.ts';
import { RabbitmqServer, rabbitmqProgram } from '../../support/rabbitmq-server.ts';
import { describeSource, type Peer, type Place } from '../../support/source-conformance.ts';
import { sourceOptions } from './support/options.ts';

/** A quorum queue that is younger than a second does not survive the death of its broker (RabbitMQ 3.10, one node). */
const declare = { passive: false, type: 'classic', durable: true, exclusive: false, autoDelete: false } as const;

class Rabbit implements Peer {
  readonly server: RabbitmqServer;
  #places = 0;

  constructor(server: RabbitmqServer) {
    this.server = server;
  }

  async place(): Promise<Place> {
    this.#places++;
    const queue = `place-${this.#places}`;
    const { url } = this.server;
    return {
      options: sourceOptions({ url, queue, heartbeat: 1000, declare }),
      async publish(texts) {
        const connection = await connect(url, { noDelay: true });
        const channel = await connection.createConfirmChannel();
        await channel.assertQueue(queue, { arguments: { 'x-queue-type': 'classic' } });
        for (const text of texts) channel.sendToQueue(queue, Buffer.from(text), { persistent: true });
        await channel.waitForConfirms();
        await connection.close();
      },
    };
  }

  async cut(): Promise<void> {
    await this.server.ctl('close_all_connections', 'cut by a test');
  }

  async down(): Promise<void> {
    await this.server.kill();
  }

  up(): Promise<void> {
    return this.server.start();
  }

  close(): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}

withPackage('rabbitmq-server', rabbitmqProgram, 'amqp source on RabbitMQ', () => {
  describeSource({
    name: 'amqp',
    connector: amqp,
    peer: async () => new Rabbit(await RabbitmqServer.start()),
    refused: [
      {
        title: 'a wrong password',
        options: async (peer) => {
          const url = (peer as Rabbit).server.url.replace('guest:guest', 'guest:wrong');
          return sourceOptions({ url, queue: 'any' });
        },
        says: /refused the user `guest`: wrong name or password/,
      },
    ],
  });
});
