import type { Channel, Message } from 'amqplib';

/**
 * The messages that came on one channel, and what the broker is told of them. The acknowledgements of one turn of the event
 * loop are gathered: one frame does for all, as far as none before them is still under way.
 */
export class Acks {
  readonly #channel: Channel;
  /** Under way, by number, in the order in which they came. */
  readonly #open = new Set<number>();
  #done: Message[] = [];
  #closed = false;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  received({ fields }: Message): void {
    this.#open.add(fields.deliveryTag);
  }

  acknowledge(message: Message): void {
    if (!this.#settle(message)) return;
    if (this.#done.push(message) === 1) setImmediate(() => this.flush());
  }

  /** Gives the message back to the broker, for whoever comes next. */
  release(message: Message): void {
    if (this.#settle(message)) this.#write(() => this.#channel.nack(message, false, true));
  }

  flush(): void {
    const done = this.#done;
    this.#done = [];
    const [firstOpen = Number.POSITIVE_INFINITY] = this.#open;
    let last: Message | undefined;
    for (const message of done) {
      const { deliveryTag } = message.fields;
      if (deliveryTag > firstOpen) this.#write(() => this.#channel.ack(message));
      else if (!last || deliveryTag > last.fields.deliveryTag) last = message;
    }
    const upTo = last;
    if (upTo) this.#write(() => this.#channel.ack(upTo, true));
  }

  /** The channel is gone: the broker hands all of them out again. */
  close(): void {
    this.#closed = true;
    this.#open.clear();
    this.#done = [];
  }

  /** Each once; what came on a channel that is gone is not ours any more. */
  #settle({ fields }: Message): boolean {
    return !this.#closed && this.#open.delete(fields.deliveryTag);
  }

  #write(write: () => void): void {
    if (this.#closed) return;
    try {
      write();
    } catch {
      // The channel was closed a moment ago, and says so in its own time.
    }
  }
}
