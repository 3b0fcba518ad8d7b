import type { ChannelModel, ConfirmChannel, Message } from 'amqplib';
import { type Failure, failure, type Life, type Link, type LinkWorld } from '#sdk';
import { channelOn, type MakeChannel, type OpenChannel, startChannel, troubleOf } from './channel.ts';
import type { Connection } from './connection.ts';
import type { BrokerTrouble } from './trouble.ts';

/** The properties of a message, as AMQP 0-9-1 calls them (class `basic`). */
export interface Properties {
  readonly contentType?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
  /** 2 is persistent. */
  readonly deliveryMode: 1 | 2;
  readonly priority?: number | undefined;
  readonly correlationId?: string | undefined;
  readonly replyTo?: string | undefined;
  /** Milliseconds. */
  readonly expiration?: string | undefined;
  /** By it a message that comes back is recognised. */
  readonly messageId: string;
  /** Seconds since the epoch. */
  readonly timestamp?: number | undefined;
  readonly type?: string | undefined;
  readonly userId?: string | undefined;
  readonly appId?: string | undefined;
}

/** A message as it goes out. */
export interface Outgoing {
  readonly routingKey: string;
  readonly content: Buffer;
  /** It has to reach a queue. */
  readonly mandatory: boolean;
  readonly properties: Properties;
}

/** What the client's `publish` calls. */
interface Writing {
  sendMessage(method: object, properties: Properties, content: Buffer): boolean;
  pushConfirmCallback(confirmed: (error: unknown) => void): void;
}

/**
 * As `publish` of the client, which makes the headers the prototype of others: that costs as much as all the rest of
 * writing a message. `false`: the channel has buffered as much as it wants to. Throws when it is closed.
 */
function write(
  channel: ConfirmChannel,
  exchange: string,
  { routingKey, content, mandatory, properties }: Outgoing,
  confirmed: (error: unknown) => void,
): boolean {
  const writing = channel as unknown as Writing;
  const room = writing.sendMessage({ exchange, routingKey, mandatory, immediate: false }, properties, content);
  writing.pushConfirmCallback(confirmed);
  return room;
}

export interface Publishing {
  /** Who publishes, as errors and the log call it. */
  readonly name: string;
  /** In words: ``the endpoint `events` ``. */
  readonly what: string;
  readonly exchange: string;
  readonly maxUnconfirmed: number;
  /** What else the channel needs before messages go out: the exchange is declared, answers are taken. */
  readonly prepare?: (channel: ConfirmChannel) => Promise<unknown>;
  readonly explain?: (trouble: BrokerTrouble) => BrokerTrouble;
}

/** How long somebody waits: the life of a message, or a time of our own. */
export type Patience = Pick<Life, 'onAbort'>;

interface Waiting {
  readonly message: Outgoing;
  readonly life: Patience;
  readonly resolve: (nothing: undefined) => void;
  readonly reject: (error: Failure) => void;
  leave: () => void;
}

interface Unconfirmed {
  /** Why the broker gave it back. */
  returned: string | undefined;
}

/**
 * Publishes with confirms: each message is done when the broker says that it has it, and only so many are on their way at
 * once. Whoever comes while nothing can be written waits, as long as its life lasts.
 */
export class Publisher {
  readonly link: Link<OpenChannel<ConfirmChannel>>;
  readonly #connection: Connection;
  readonly #publishing: Publishing;
  readonly #waiting = new Set<Waiting>();
  /** By message id: those that have to reach a queue. */
  readonly #mandatory = new Map<string, Unconfirmed>();
  readonly #stopListening: () => void;
  #unconfirmed = 0;
  /** How many were on their way when the broker closed the channel. */
  #caught = 0;
  /** The channel has buffered as much as it wants to. */
  #full = false;
  #closed = false;

  constructor(connection: Connection, publishing: Publishing, world: LinkWorld) {
    this.#connection = connection;
    this.#publishing = publishing;
    const make: MakeChannel<ConfirmChannel> = (model, watched, asking) => this.#make(model, watched, asking);
    const { what, explain } = publishing;
    this.link = channelOn(connection, { what, make, ...(explain ? { explain } : {}) }, world);
    this.link.onUp(() => this.#go());
    this.#stopListening = connection.onFreed(() => this.#go());
  }

  get ready(): boolean {
    return this.link.opened !== undefined;
  }

  /** Why it is not ready. */
  get trouble(): string {
    return troubleOf(this.#connection.link, this.link);
  }

  /** Resolves after the first attempt; rejects when waiting would not heal what is wrong. */
  start(): Promise<void> {
    return startChannel(this.#connection, this.link);
  }

  /** For one that is needed only later: whoever publishes waits for it. */
  begin(): void {
    void this.#connection.link.start({ patient: true });
    void this.link.start({ patient: true });
  }

  /**
   * Resolves when the broker has confirmed it. Rejects with `unroutable`, `refused`, or `connection`: `sent` says whether
   * it may have arrived all the same.
   */
  publish(message: Outgoing, life: Patience): Promise<undefined> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { message, life, resolve, reject, leave: () => {} };
      if (this.#closed) {
        reject(failure('stopping'));
        return;
      }
      const channel = this.#waiting.size === 0 ? this.#free(message) : undefined;
      if (channel && this.#write(channel, waiting)) return;
      this.#wait(waiting);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopListening();
    for (const waiting of this.#waiting) {
      waiting.leave();
      waiting.reject(failure('stopping'));
    }
    this.#waiting.clear();
    await this.link.close();
  }

  async #make(
    model: ChannelModel,
    watched: (channel: ConfirmChannel) => OpenChannel<ConfirmChannel>,
    asking: (what: string) => void,
  ): Promise<void> {
    const channel = await model.createConfirmChannel();
    watched(channel);
    this.#full = false;
    channel.on('error', () => {
      this.#caught = this.#unconfirmed;
    });
    channel.on('return', (message) => this.#returned(message));
    channel.on('drain', () => {
      this.#full = false;
      this.#go();
    });
    asking(`to say that there is the exchange \`${this.#publishing.exchange}\``);
    await this.#publishing.prepare?.(channel);
  }

  /** The channel, if this message can go out at once. */
  #free({ mandatory, properties }: Outgoing): OpenChannel<ConfirmChannel> | undefined {
    if (this.#full || this.#unconfirmed >= this.#publishing.maxUnconfirmed) return undefined;
    if (this.#connection.blocked !== undefined) return undefined;
    // Of two with one id nobody could say which one came back.
    if (mandatory && this.#mandatory.has(properties.messageId)) return undefined;
    return this.link.opened;
  }

  #wait(waiting: Waiting): void {
    this.#waiting.add(waiting);
    waiting.leave = waiting.life.onAbort((reason) => {
      this.#waiting.delete(waiting);
      waiting.reject(reason.kind === 'cancelled' ? reason : this.#unsent());
    });
  }

  #unsent(): Failure {
    const { name } = this.#publishing;
    const blocked = this.#connection.blocked;
    const busy = `${this.#unconfirmed} messages wait for their confirms`;
    const open = blocked === undefined ? busy : `the broker takes no messages now: ${blocked}`;
    const detail = this.link.opened ? open : this.trouble;
    return failure('connection', { endpoint: name, detail, sent: false });
  }

  /** Lets go on whoever can, in the order in which they came. */
  #go(): void {
    for (const waiting of this.#waiting) {
      const channel = this.#free(waiting.message);
      if (!channel) {
        // Only its twin is in its way, and in nobody else's.
        if (this.#mandatory.has(waiting.message.properties.messageId)) continue;
        return;
      }
      this.#waiting.delete(waiting);
      waiting.leave();
      if (!this.#write(channel, waiting)) {
        this.#wait(waiting);
        return;
      }
    }
  }

  /** `false`: the channel was closed a moment ago; nothing was written. */
  #write(opened: OpenChannel<ConfirmChannel>, { message, life, resolve, reject }: Waiting): boolean {
    const { messageId } = message.properties;
    const entry: Unconfirmed | undefined = message.mandatory ? { returned: undefined } : undefined;
    let leave = (): void => {};
    const settle = (error: unknown): void => {
      leave();
      this.#unconfirmed--;
      if (entry) this.#mandatory.delete(messageId);
      const failed = this.#failed(error, entry?.returned, message, opened);
      if (failed) reject(failed);
      else resolve(undefined);
      if (this.#waiting.size > 0) this.#go();
    };
    this.#unconfirmed++;
    if (entry) this.#mandatory.set(messageId, entry);
    try {
      const room = write(opened.channel, this.#publishing.exchange, message, settle);
      if (!room) this.#full = true;
    } catch (thrown) {
      this.#unconfirmed--;
      if (entry) this.#mandatory.delete(messageId);
      if (isClosed(thrown)) return false;
      reject(unwritable(thrown));
      return true;
    }
    // It stays on its way: only nobody waits for it any more.
    leave = life.onAbort(reject);
    return true;
  }

  #failed(
    error: unknown,
    returned: string | undefined,
    { routingKey }: Outgoing,
    opened: OpenChannel<ConfirmChannel>,
  ): Failure | undefined {
    const { name: endpoint, exchange } = this.#publishing;
    if (returned !== undefined) {
      const where = exchange === '' ? `there is no queue \`${routingKey}\`` : unbound(exchange, routingKey);
      return failure('unroutable', { endpoint, detail: where, sent: false });
    }
    if (!error) return undefined;
    if (error instanceof Error && error.message === 'message nacked') {
      return failure('refused', { endpoint, detail: 'a queue it goes to is full, or failed', sent: true });
    }
    const { detail, code, publishing, hopeless } = opened.why();
    // What the broker closed the channel for is surely this one when no other was under way.
    const surely = this.#caught === 1 && publishing === true;
    if (!surely) return failure('connection', { endpoint, detail: `${detail}, and it was not confirmed`, sent: true });
    return failure(
      'refused',
      { endpoint, detail, brokerCode: code, sent: false },
      hopeless ? { kind: 'permanent' } : {},
    );
  }

  #returned({ properties, fields }: Message): void {
    const entry = this.#mandatory.get(String(properties.messageId));
    if (entry) entry.returned = String((fields as { readonly replyText?: unknown }).replyText);
  }
}

const unbound = (exchange: string, routingKey: string): string =>
  `no queue is bound to the exchange \`${exchange}\` for the routing key \`${routingKey}\``;

const isClosed = (thrown: unknown): boolean => thrown instanceof Error && thrown.name === 'IllegalOperationError';

/** The client names the field, never its value. */
function unwritable(thrown: unknown): Failure {
  const message = thrown instanceof Error ? thrown.message : '';
  const [, field] = /^Field '(\w+)'/.exec(message) ?? [];
  const what =
    field === undefined
      ? 'its headers are too large, or hold a value that AMQP does not have'
      : `\`${field}\` must be text of at most 255 characters`;
  return failure('bad-request', { detail: what, sent: false });
}
