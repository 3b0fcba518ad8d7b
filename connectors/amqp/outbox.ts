import type { SourceContext } from '#sdk';
import type { Connection } from './connection.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { patienceOf } from './patience.ts';
import { type Outgoing, Publisher } from './publisher.ts';
import { connectionFor } from './shared.ts';

/** How long a message of the source's own may take to be confirmed. */
const patienceMs = 10_000;

interface Opened {
  readonly publisher: Publisher;
  readonly connection: { readonly value: Connection; release(): Promise<void> };
}

/** What a source itself publishes, to queues by their names: messages that shall wait, and answers. Opened when there is something. */
export class Outbox {
  readonly #options: ConnectionOptions;
  readonly #context: SourceContext;
  #opened: Opened | undefined;
  #closed = false;

  constructor(options: ConnectionOptions, context: SourceContext) {
    this.#options = options;
    this.#context = context;
  }

  /** Resolves when the broker has it. */
  async publish(message: Outgoing): Promise<void> {
    const { publisher } = this.#open();
    const patience = patienceOf(patienceMs, 'The broker', this.#context.clock);
    try {
      await publisher.publish(message, patience);
    } finally {
      patience.end();
    }
  }

  /** Makes a queue, on a channel of its own: where it may not, that channel is closed, and nothing else harmed. */
  async declare(queue: string, options: { readonly durable: boolean; readonly arguments: object }): Promise<void> {
    const { connection } = this.#open();
    const open = connection.value.link.opened;
    if (!open) throw new Error('not connected');
    const channel = await open.model.createChannel();
    channel.on('error', () => {});
    await channel.assertQueue(queue, options);
    await channel.close();
  }

  /** Waits until it is connected, at most for a while. */
  async ready(): Promise<void> {
    const { connection } = this.#open();
    const patience = patienceOf(patienceMs, 'The broker', this.#context.clock);
    try {
      await new Promise<void>((resolve, reject) => {
        patience.onAbort(reject);
        const stop = connection.value.link.onUp(() => {
          resolve();
          queueMicrotask(() => stop());
        });
      });
    } finally {
      patience.end();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#opened?.publisher.close();
    await this.#opened?.connection.release();
  }

  #open(): Opened {
    if (this.#opened) return this.#opened;
    if (this.#closed) throw new Error('it is closed');
    const { clock, random, log, name } = this.#context;
    const connection = connectionFor('publishing', this.#options, this.#context);
    const what = `What the flow \`${name}\` gives back`;
    const publishing = { name: `The flow \`${name}\``, what, exchange: '', maxUnconfirmed: 1000 };
    const publisher = new Publisher(connection.value, publishing, { clock, random, log });
    publisher.begin();
    this.#opened = { publisher, connection };
    return this.#opened;
  }
}
