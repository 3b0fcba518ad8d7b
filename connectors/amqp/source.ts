import type { Channel, ConsumeMessage } from 'amqplib';
import {
  atMost,
  type Exchange,
  type Incoming,
  type Link,
  Refrain,
  type Source,
  type SourceContext,
  sleep,
  toFailure,
} from '#sdk';
import { Acks } from './acks.ts';
import { answer } from './answering.ts';
import { channelOn, type MakeChannel, type OpenChannel, startChannel, troubleOf } from './channel.ts';
import type { AmqpSourceOptions } from './definition.ts';
import { goodbyeMs } from './goodbye.ts';
import { incomingOf } from './incoming.ts';
import { Outbox } from './outbox.ts';
import { type Handwriting, handwritingOf } from './own-headers.ts';
import { Postponing } from './postponing.ts';
import { connectionFor } from './shared.ts';
import { declareQueue } from './topology.ts';
import type { BrokerTrouble } from './trouble.ts';

/** How many messages are handed over at once where the file says nothing; more than work goes on, so that none waits for the broker. */
const usualPrefetch = 20;
const mostPrefetch = 65_535;

/** Takes the messages of a queue. */
export async function openSource(options: AmqpSourceOptions, context: SourceContext): Promise<Source> {
  const consumer = new Consumer(options, context);
  try {
    await consumer.start();
  } catch (thrown) {
    await consumer.close();
    throw thrown;
  }
  return consumer;
}

class Consumer implements Source {
  readonly #options: AmqpSourceOptions;
  readonly #context: SourceContext;
  readonly #connection: ReturnType<typeof connectionFor>;
  readonly #link: Link<OpenChannel<Channel>>;
  readonly #ours: Handwriting;
  readonly #outbox: Outbox;
  readonly #postponing: Postponing;
  readonly #stopping = new AbortController();
  readonly #unanswered: Refrain;
  #acks: Acks | undefined;
  #consumerTag: string | undefined;
  /** Messages that the flow has and has not settled. */
  #handed = 0;
  #whenSettled: () => void = () => {};
  #stopped: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: AmqpSourceOptions, context: SourceContext) {
    this.#options = options;
    this.#context = context;
    const { clock, random, log } = context;
    this.#connection = connectionFor('consuming', options, context);
    this.#outbox = new Outbox(options, context);
    this.#unanswered = new Refrain({ level: 'warn', message: 'an answer could not be sent' }, context);
    this.#ours = handwritingOf(options);
    this.#postponing = new Postponing(options, this.#ours, this.#outbox, context);
    const make: MakeChannel<Channel> = (model, watched, asking) => this.#make(model, watched, asking);
    const what = `The queue \`${options.queue}\``;
    const plan = { what, make, explain: (trouble: BrokerTrouble) => explained(trouble, options) };
    this.#link = channelOn(this.#connection.value, plan, { clock, random, log });
  }

  get ready(): boolean {
    return this.#link.opened !== undefined;
  }

  get trouble(): string {
    return troubleOf(this.#connection.value.link, this.#link);
  }

  start(): Promise<void> {
    return startChannel(this.#connection.value, this.#link);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #make(
    model: Parameters<MakeChannel<Channel>>[0],
    watched: (channel: Channel) => OpenChannel<Channel>,
    asking: Parameters<MakeChannel<Channel>>[2],
  ): Promise<void> {
    const { queue, prefetch, consumerTag, exclusive, priority } = this.#options;
    const channel = await model.createChannel();
    const open = watched(channel);
    const usual = Math.min(mostPrefetch, Math.max(usualPrefetch, this.#context.concurrency ?? 1));
    const most = prefetch ?? usual;
    const acks = new Acks(channel);
    channel.on('close', () => acks.close());
    asking(`to say that there is the queue \`${queue}\``);
    await declareQueue(channel, this.#options);
    await channel.prefetch(most);
    this.#acks = acks;
    asking(
      `to hand over messages of the queue \`${queue}\`. A quorum queue that was made a moment before its broker was killed stays like that: \`rabbitmqctl delete_queue ${queue}\` gives it up, with what is in it, and it is made again`,
    );
    const taken = await channel.consume(
      queue,
      (message) => {
        if (message) this.#take(message, acks);
        else open.giveUp('the broker took the queue away from us: it was deleted, or has moved');
      },
      {
        exclusive,
        ...(consumerTag === undefined ? {} : { consumerTag }),
        ...(priority === undefined ? {} : { priority }),
      },
    );
    this.#consumerTag = taken.consumerTag;
  }

  #take(message: ConsumeMessage, acks: Acks): void {
    acks.received(message);
    if (this.#stopping.signal.aborted) {
      acks.release(message);
      return;
    }
    this.#handed++;
    const incoming = incomingOf(message, this.#ours, this.#context.clock.now());
    void this.#settle(message, incoming, acks).then(() => {
      this.#handed--;
      if (this.#handed === 0) this.#whenSettled();
    });
  }

  /** Never rejects. */
  #settle(message: ConsumeMessage, incoming: Incoming, acks: Acks): Promise<void> {
    return this.#context.deliver(incoming).then(
      (exchange) => {
        if (this.#options.reply) return this.#answer(message, exchange, acks);
        acks.acknowledge(message);
      },
      (thrown: unknown) => {
        const { code, facts } = toFailure(thrown);
        if (code === 'postponed') return this.#postpone(message, incoming, acks, facts);
        acks.release(message);
      },
    );
  }

  async #answer(message: ConsumeMessage, exchange: Exchange | undefined, acks: Acks): Promise<void> {
    try {
      await answer(message, exchange, this.#outbox);
      acks.acknowledge(message);
    } catch (thrown) {
      const { code, message: detail } = toFailure(thrown);
      this.#unanswered.again(code, { flow: this.#context.name, code }, { detail });
      acks.release(message);
    }
  }

  async #postpone(
    message: ConsumeMessage,
    incoming: Incoming,
    acks: Acks,
    facts: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const ms = Number(facts['ms']);
    const attempt = Number(facts['attempt']);
    if (await this.#postponing.postpone(message, ms, attempt)) {
      acks.acknowledge(message);
      return;
    }
    try {
      await sleep(this.#context.clock, ms, this.#stopping.signal);
    } catch {
      acks.release(message);
      return;
    }
    // If its channel is gone the broker hands it out again.
    if (acks.isClosed) return;
    await this.#settle(message, { ...incoming, origin: { ...incoming.origin, attempt } }, acks);
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    const open = this.#link.opened;
    if (!open) {
      void this.#link.close();
      return;
    }
    void open.lost.then(() => this.#link.close());
    const tag = this.#consumerTag;
    if (tag === undefined) return;
    const cancelled = open.channel.cancel(tag).catch(() => undefined);
    await atMost(this.#context.clock, goodbyeMs, cancelled);
  }

  async #close(): Promise<void> {
    await this.stop();
    if (this.#handed > 0) {
      const settled = new Promise<void>((resolve) => {
        this.#whenSettled = resolve;
      });
      await atMost(this.#context.clock, goodbyeMs, settled);
    }
    this.#acks?.flush();
    await this.#link.close();
    await Promise.all([this.#outbox.close(), this.#connection.release()]);
  }
}

function explained(trouble: BrokerTrouble, { queue, declare }: AmqpSourceOptions): BrokerTrouble {
  const { code, detail } = trouble;
  if (code === 404 && detail.includes('exchange')) {
    return { ...trouble, detail: `${detail}: make it first, or say its \`type\` under \`bind\` and it is made` };
  }
  if (code === 404 && declare?.passive) {
    return { ...trouble, detail: `there is no queue \`${queue}\`: make it first, or drop \`passive: true\`` };
  }
  if (code === 406 && !declare?.passive) {
    return { ...trouble, detail: `${detail} (see \`declare\`)` };
  }
  return trouble;
}
