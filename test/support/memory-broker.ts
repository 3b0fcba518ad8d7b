/**
 * The smallest broker that keeps its promises, and a connector for it: queues in memory that hand a message over until
 * somebody acknowledges it. Connections may be cut at any time; what was not acknowledged by then comes again.
 */
import {
  Body,
  type Clock,
  type Connector,
  type ConnectorDefinition,
  type Endpoint,
  type EndpointContext,
  type Exchange,
  Failure,
  failure,
  type Headers,
  noHeaders,
  type Source,
  type SourceContext,
  sleep,
  toFailure,
} from '#sdk';

export interface BrokerMessage {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly contentType: string | undefined;
  readonly headers: Headers;
  readonly lane?: string | undefined;
  attempt: number;
}

interface Consumer {
  readonly queue: string;
  readonly prefetch: number;
  readonly unacknowledged: Map<number, BrokerMessage>;
  readonly take: (message: BrokerMessage) => void;
  readonly lost: () => void;
}

export class MemoryBroker {
  readonly #clock: Clock;
  readonly #queues = new Map<string, BrokerMessage[]>();
  readonly #consumers = new Set<Consumer>();
  readonly #postponed = new Set<() => void>();
  #next = 1;
  up = true;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws when nobody is there. */
  publish(
    queue: string,
    message: { readonly bytes: Uint8Array | string; readonly contentType?: string | undefined } & Partial<
      Pick<BrokerMessage, 'headers' | 'lane' | 'attempt'>
    >,
  ): number {
    this.#check();
    const { bytes, contentType, headers = noHeaders, lane, attempt = 1 } = message;
    const id = this.#next++;
    this.#waiting(queue).push({ id, bytes: Buffer.from(bytes as string), contentType, headers, lane, attempt });
    this.#hand();
    return id;
  }

  consume(consumer: Omit<Consumer, 'unacknowledged'>): Consumer {
    this.#check();
    const made = { ...consumer, unacknowledged: new Map() };
    this.#consumers.add(made);
    queueMicrotask(() => this.#hand());
    return made;
  }

  /** Nothing new is handed over; what was may still be settled. */
  stop(consumer: Consumer): void {
    this.#consumers.delete(consumer);
  }

  /** What it did not acknowledge comes again. */
  leave(consumer: Consumer): void {
    this.#consumers.delete(consumer);
    for (const message of consumer.unacknowledged.values()) message.attempt++;
    this.#back(consumer, [...consumer.unacknowledged.values()]);
  }

  /** Nothing happens where the message was handed over on a connection that is gone. */
  acknowledge(consumer: Consumer, { id }: BrokerMessage): void {
    consumer.unacknowledged.delete(id);
    this.#hand();
  }

  /** Gives it back as if it had never been handed over. */
  release(consumer: Consumer, message: BrokerMessage): void {
    if (consumer.unacknowledged.has(message.id)) this.#back(consumer, [message]);
  }

  postpone(consumer: Consumer, message: BrokerMessage, ms: number, attempt: number): void {
    if (!consumer.unacknowledged.delete(message.id)) return;
    const cancel = this.#clock.after(ms, () => {
      this.#postponed.delete(cancel);
      this.#waiting(consumer.queue).push({ ...message, attempt });
      this.#hand();
    });
    this.#postponed.add(cancel);
    this.#hand();
  }

  /** How many messages wait, and how many were handed over and are not settled. */
  depth(queue: string): number {
    return this.#waiting(queue).length + this.unacknowledged(queue);
  }

  unacknowledged(queue: string): number {
    return [...this.#consumers].reduce((sum, one) => sum + (one.queue === queue ? one.unacknowledged.size : 0), 0);
  }

  /** The bodies that wait, as text. */
  texts(queue: string): readonly string[] {
    return this.#waiting(queue).map(({ bytes }) => Buffer.from(bytes).toString());
  }

  messages(queue: string): readonly BrokerMessage[] {
    return this.#waiting(queue);
  }

  /** Cuts all connections. */
  cut(): void {
    for (const consumer of [...this.#consumers]) {
      this.leave(consumer);
      consumer.lost();
    }
  }

  down(): void {
    this.up = false;
    this.cut();
  }

  close(): void {
    this.down();
    for (const cancel of this.#postponed) cancel();
  }

  #check(): void {
    if (!this.up) throw failure('connection', { endpoint: 'The broker', detail: 'nobody listens', sent: false });
  }

  #waiting(queue: string): BrokerMessage[] {
    const waiting = this.#queues.get(queue) ?? [];
    this.#queues.set(queue, waiting);
    return waiting;
  }

  #back(consumer: Consumer, messages: readonly BrokerMessage[]): void {
    for (const { id } of messages) consumer.unacknowledged.delete(id);
    const waiting = this.#waiting(consumer.queue);
    waiting.push(...messages);
    waiting.sort((a, b) => a.id - b.id);
    queueMicrotask(() => this.#hand());
  }

  #hand(): void {
    for (const consumer of this.#consumers) {
      const waiting = this.#waiting(consumer.queue);
      while (consumer.unacknowledged.size < consumer.prefetch) {
        const message = waiting.shift();
        if (!message) break;
        consumer.unacknowledged.set(message.id, message);
        consumer.take(message);
      }
    }
  }
}

const queueOption = {
  type: 'object',
  properties: { queue: { type: 'string', format: 'name', description: 'Name of the queue.' } },
  required: ['queue'],
} as const;

interface QueueOptions {
  readonly queue: string;
}

const retryMs = 20;

/** A process that can die: from then on nothing in it reaches the broker any more. */
export class Mortal {
  dead = false;
  readonly #last: (() => void)[] = [];

  /** `run`: what the broker sees when it dies. */
  onDeath(run: () => void): void {
    this.#last.push(run);
  }

  kill(): void {
    this.dead = true;
    for (const run of this.#last) run();
  }
}

export interface MemoryOptions {
  /** Whether the broker can keep a message for a while. */
  readonly postpones?: boolean | undefined;
  /** Its attempts count what was handed over, begun or not. */
  readonly countsDeliveries?: boolean | undefined;
  /** Whether a message has a name by which it is known when it comes again. */
  readonly keys?: boolean | undefined;
  readonly process?: Mortal | undefined;
}

export function memoryConnector(broker: MemoryBroker, how: MemoryOptions = {}): Connector {
  const { postpones = false, countsDeliveries = false } = how;
  const definition: ConnectorDefinition = {
    name: 'memory',
    summary: 'Queues in the memory of a test.',
    source: queueOption,
    endpoint: queueOption,
    call: { type: 'object', properties: { tag: { type: 'string', template: true, description: 'A header.' } } },
    settles: true,
    postpones,
    countsDeliveries,
  };
  return {
    definition,
    source: async () => ({
      openSource: async (options: QueueOptions, context) => openSource(broker, options, context, how),
    }),
    endpoint: async () => ({
      openEndpoint: async (options: QueueOptions, context) => openEndpoint(broker, options, context),
    }),
  };
}

async function openSource(
  broker: MemoryBroker,
  { queue }: QueueOptions,
  context: SourceContext,
  { postpones = false, keys = true, process = new Mortal() }: MemoryOptions,
): Promise<Source> {
  const { clock, log, deliver, name: flow } = context;
  const working = new Set<Promise<void>>();
  const closing = new AbortController();
  let consumer: Consumer | undefined;
  let stopped = false;
  let told = false;

  const settle = async (message: BrokerMessage, mine: () => Consumer): Promise<void> => {
    const { id, bytes, contentType, headers, attempt, lane } = message;
    const origin = { source: { queue, id }, receivedAt: clock.now(), attempt };
    try {
      const key = keys ? { key: `${queue} ${id}` } : {};
      await deliver({ body: Body.bytes(bytes, contentType), headers, origin, lane, ...key });
      if (!process.dead) broker.acknowledge(mine(), message);
    } catch (thrown) {
      if (process.dead) return;
      const { code, facts } = toFailure(thrown);
      if (code === 'postponed' && postpones)
        broker.postpone(mine(), message, Number(facts['ms']), Number(facts['attempt']));
      else broker.release(mine(), message);
    }
  };

  const connect = (): void => {
    const prefetch = Math.max(20, context.concurrency ?? 1);
    const made = broker.consume({
      queue,
      prefetch,
      take: (message) => {
        const work = settle(message, () => made).finally(() => working.delete(work));
        working.add(work);
      },
      lost: () => {
        consumer = undefined;
        void supervise();
      },
    });
    consumer = made;
  };

  const supervise = async (): Promise<void> => {
    while (!stopped && !process.dead) {
      try {
        connect();
        if (told) log.info('connected', { flow });
        told = false;
        return;
      } catch (thrown) {
        if (!told) log.warn('not connected, trying on', { flow, detail: toFailure(thrown).message });
        told = true;
        await sleep(clock, retryMs, closing.signal).catch(() => undefined);
      }
    }
  };
  void supervise();
  process.onDeath(() => {
    if (consumer) broker.leave(consumer);
  });

  let last: Consumer | undefined;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    closing.abort(failure('stopping'));
    last = consumer;
    if (consumer) broker.stop(consumer);
  };
  return {
    get ready() {
      return consumer !== undefined;
    },
    get trouble() {
      return broker.up ? undefined : 'it is down';
    },
    stop,
    async close() {
      await stop();
      await Promise.all(working);
      if (last) broker.leave(last);
      last = undefined;
      consumer = undefined;
    },
  };
}

async function openEndpoint(
  broker: MemoryBroker,
  { queue }: QueueOptions,
  { name, clock, log }: EndpointContext,
): Promise<Endpoint> {
  if (!broker.up) log.warn('not connected, trying on', { endpoint: name });
  const handle = async (exchange: Exchange): Promise<Exchange> => {
    const { body, life, services, ownHeaders, operation } = exchange;
    const bytes = await exchange.bytes();
    const tag = (operation as { readonly tag?: string } | undefined)?.tag;
    const headers = tag === undefined ? ownHeaders : { ...ownHeaders, tag };
    for (;;) {
      life.check();
      try {
        broker.publish(queue, { bytes, contentType: body.wireType(services.codec), headers });
        return exchange.with({ body: Body.empty, headers: noHeaders, ownHeaders: noHeaders });
      } catch (thrown) {
        if (!(thrown instanceof Failure)) throw thrown;
        const { left } = life;
        if (left !== undefined && left <= retryMs) throw failure('connection', { ...thrown.facts, endpoint: name });
        await sleep(clock, retryMs, life.signal);
      }
    }
  };
  return {
    handle,
    get ready() {
      return broker.up;
    },
    get trouble() {
      return broker.up ? undefined : 'it is down';
    },
    async close() {},
  };
}
