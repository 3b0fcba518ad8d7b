import type { Channel, Message } from 'amqplib';
import type { Clock } from '#sdk';

/** How long an acknowledgement waits for others. */
const gatherMs = 5;

/**
 * The messages that came on one channel, and what the broker is told of them. Acknowledgements are gathered for a moment:
 * one frame does for all, as far as none before them is still under way. Where each went alone the broker would hand over
 * one message at a time, get one at a time from us, and write each to its disk alone.
 */
export class Acks {
  readonly #channel: Channel;
  /** Under way, by number, in the order in which they came. */
  readonly #open = new Set<number>();
  readonly #clock: Clock;
  /** So many are not held back any longer: the broker could have nothing left to hand over. */
  readonly #most: number;
  #done: Message[] = [];
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(channel: Channel, clock: Clock, prefetch: number) {
    this.#channel = channel;
    this.#clock = clock;
    this.#most = Math.ceil(prefetch / 4);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  received({ fields }: Message): void {
    this.#open.add(fields.deliveryTag);
  }

  acknowledge(message: Message): void {
    if (!this.#settle(message)) return;
    this.#done.push(message);
    if (this.#done.length === this.#most) setImmediate(() => this.flush());
    else this.#cancel ??= this.#clock.after(gatherMs, () => this.flush(), true);
  }

  /** Gives the message back to the broker, for whoever comes next. */
  release(message: Message): void {
    if (this.#settle(message)) this.#write(() => this.#channel.nack(message, false, true));
  }

  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
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
    this.#cancel?.();
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
