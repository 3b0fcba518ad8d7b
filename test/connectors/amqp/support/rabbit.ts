import { connect } from 'amqplib';
import { headersOf } from '../../../../connectors/amqp/incoming.ts';
import type { EndpointPeer, Received, Target } from '../../../support/endpoint-conformance.ts';
import { RabbitmqServer } from '../../../support/rabbitmq-server.ts';
import type { Place, SourcePeer } from '../../../support/source-conformance.ts';
import { TcpProxy } from '../../../support/tcp-proxy.ts';
import { endpointOptions, sourceOptions } from './options.ts';

const declare = { passive: false, type: 'classic', durable: true, exclusive: false, autoDelete: false } as const;
const made = { arguments: { 'x-queue-type': 'classic' } };

/** The far side of what every source and every endpoint owes. */
export class Rabbit implements SourcePeer, EndpointPeer, AsyncDisposable {
  /** Where the connector finds it: a network is between them. */
  readonly url: string;
  readonly #server: RabbitmqServer;
  readonly #network: TcpProxy;
  #places = 0;

  private constructor(server: RabbitmqServer, network: TcpProxy) {
    this.#server = server;
    this.#network = network;
    this.url = server.url.replace(String(server.port), String(network.port));
  }

  static async start(): Promise<Rabbit> {
    const server = await RabbitmqServer.shared();
    return new Rabbit(server, await TcpProxy.before(server.port));
  }

  async place(): Promise<Place> {
    this.#places++;
    const queue = `place-${this.#places}`;
    const { url } = this.#server;
    return {
      options: sourceOptions({ url: this.url, queue, heartbeat: 1000, declare }),
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
    const { url } = this.#server;
    const connection = await connect(url);
    await (await connection.createChannel()).assertQueue(queue, made);
    await connection.close();
    return {
      options: endpointOptions({ url: this.url, routingKey: queue, heartbeat: 1000 }),
      received: () => everythingIn(queue, url),
    };
  }

  /** By the broker, which says why. */
  async cut(): Promise<void> {
    await this.#server.ctl('close_all_connections', 'cut by a test');
  }

  /** Quicker than to kill it, which other tests do. */
  down(): Promise<void> {
    return this.#network.down();
  }

  up(): Promise<void> {
    return this.#network.up();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#network[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
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
