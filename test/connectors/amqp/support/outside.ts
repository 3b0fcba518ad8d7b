import type { TestContext } from 'node:test';
import { type Channel, type ConfirmChannel, connect, type GetMessage, type Options } from 'amqplib';

/** Whoever else uses the broker: publishes, looks into queues. */
export class Outside {
  readonly channel: ConfirmChannel;
  readonly #close: () => Promise<void>;

  private constructor(channel: ConfirmChannel, close: () => Promise<void>) {
    this.channel = channel;
    this.#close = close;
  }

  static async at(t: TestContext, url: string): Promise<Outside> {
    const connection = await connect(url, { noDelay: true });
    connection.on('error', () => {});
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => {});
    const outside = new Outside(channel, () => connection.close().catch(() => undefined));
    t.after(() => outside.#close());
    return outside;
  }

  /** A queue that is bound to nothing, of this type. */
  async queue(name: string, type: 'quorum' | 'classic' = 'classic', more: object = {}): Promise<string> {
    await this.channel.assertQueue(name, { arguments: { 'x-queue-type': type, ...more } });
    return name;
  }

  /** Resolves when the broker has it. */
  publish(exchange: string, routingKey: string, text: string, options: Options.Publish = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      this.channel.publish(exchange, routingKey, Buffer.from(text), { persistent: true, ...options }, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  async count(queue: string): Promise<number> {
    return (await this.channel.checkQueue(queue)).messageCount;
  }

  /** Takes the next one away. */
  async next(queue: string): Promise<GetMessage> {
    const message = await this.channel.get(queue, { noAck: true });
    if (!message) throw new Error(`the queue ${queue} is empty`);
    return message;
  }

  /** Runs on a channel of its own: one that the broker closes takes no other with it. */
  async trying<T>(t: TestContext, url: string, run: (channel: Channel) => Promise<T>): Promise<T> {
    const other = await Outside.at(t, url);
    return run(other.channel);
  }
}

export const textOf = (message: { readonly content: Buffer }): string => message.content.toString();
