import { connect } from 'amqplib';
import { headersOf } from '../../../../connectors/amqp/incoming.ts';
import type { EndpointPeer, Received, Target } from '../../../support/endpoint-conformance.ts';
import { RabbitmqServer } from '../../../support/rabbitmq-server.ts';
import type { Place, SourcePeer } from '../../../support/source-conformance.ts';
import { endpointOptions, sourceOptions } from './options.ts';

const declare = { passive: false, type: 'classic', durable: true, exclusive: false, autoDelete: false } as const;
const made = { arguments: { 'x-queue-type': 'classic' } };

/** The far side of what every source and every endpoint owes. */
export class Rabbit implements SourcePeer, EndpointPeer, AsyncDisposable {
  readonly server: RabbitmqServer;
  #places = 0;

  private constructor(server: RabbitmqServer) {
    this.server = server;
  }

  static async start(): Promise<Rabbit> {
    return new Rabbit(await RabbitmqServer.start());
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
        await channel.assertQueue(queue, made);
        for (const text of texts) channel.sendToQueue(queue, Buffer.from(text), { persistent: true });
        await channel.waitForConfirms();
        await connection.close();
      },
    };
  }

  async target(): Promise<Target> {
    this.#places++;
    const queue = `target-${this.#places}`;
    const { url } = this.server;
    const connection = await connect(url);
    await (await connection.createChannel()).assertQueue(queue, made);
    await connection.close();
    return {
      options: endpointOptions({ url, routingKey: queue, heartbeat: 1000 }),
      received: () => everythingIn(queue, url),
    };
  }

  async cut(): Promise<void> {
    await this.server.ctl('close_all_connections', 'cut by a test');
  }

  /** Quicker than to kill it, which other tests do. */
  async down(): Promise<void> {
    await this.server.ctl('suspend_listeners');
    await this.cut();
  }

  async up(): Promise<void> {
    await this.server.ctl('resume_listeners');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}

/** Looked at, and left there. */
async function everythingIn(queue: string, url: string): Promise<readonly Received[]> {
  const connection = await connect(url, { noDelay: true });
  const channel = await connection.createChannel();
  const all: Received[] = [];
  for (let one = await channel.get(queue); one; one = await channel.get(queue)) {
    const { headers, contentType } = one.properties;
    all.push({ text: one.content.toString(), headers: headersOf(headers ?? {}, {}), contentType });
  }
  channel.nackAll(true);
  await channel.close();
  await connection.close();
  return all;
}
