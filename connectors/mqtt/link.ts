import type { Socket } from 'node:net';
import { type IConnackPacket, type IPublishPacket, MqttClient, type Packet } from 'mqtt';
import type { Clock } from '#sdk';
import { type Acknowledge, Acks, together } from './acks.ts';
import { PacketIds } from './packet-ids.ts';
import { publishPacket } from './publish-packet.ts';
import type { Settings } from './settings.ts';
import { openSocket } from './socket.ts';
import { reasonText, refusal, socketTrouble, Trouble } from './trouble.ts';

export type Received = IPublishPacket;

/** A message to be published. */
export interface Publication {
  readonly topic: string;
  readonly payload: Buffer | string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** MQTT 5. */
  readonly properties?: NonNullable<IPublishPacket['properties']>;
}

/** What a message of QoS 1 is handed over with. */
export interface Arrival {
  readonly packet: Received;
  readonly link: Link;
  /** It is done: tells the broker when its turn comes. Absent: nobody waits for that (QoS 0). */
  readonly acknowledge: Acknowledge | undefined;
}

/** Takes a message at once. What it returns holds back what comes behind it, until it is resolved. */
export type Receive = (arrival: Arrival) => Promise<void> | undefined;

/** The broker did not take a message. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: number;

  constructor(code: number) {
    super(reasonText(code));
    this.code = code;
  }
}

type Puback = Extract<Packet, { readonly cmd: 'puback' }>;
type Published = (failed?: Refused | Trouble) => void;
type Settle<T> = (error?: unknown, value?: T) => void;

/** What the library is told so that it neither acknowledges nor stops: the acknowledgement is ours. */
const heldBack = new Error('acknowledged later');

/** How long a goodbye may take. */
const goodbyeMs = 1000;

/**
 * One connection to a broker, from its greeting to its end; it does not come back. The library (mqtt.js) speaks the
 * protocol over a socket that is ours. It would acknowledge before the work is done, or do one message after the other:
 * so it goes on reading at once, and what is owed is written here ({@link Acks}). What is published is written here as well.
 */
export class Link {
  static async open(
    url: URL,
    settings: Settings,
    { clock, receive, signal }: { readonly clock: Clock; readonly receive: Receive; readonly signal: AbortSignal },
  ): Promise<Link> {
    const patience = new AbortController();
    const ms = settings.connectTimeout;
    const cancel = clock.after(ms, () => patience.abort(new Trouble(`it did not answer within ${ms} ms`)), true);
    try {
      const either = AbortSignal.any([signal, patience.signal]);
      const socket = await openSocket(url, settings, either);
      const link = new Link(socket, settings, clock, receive);
      await link.#greet(either);
      return link;
    } finally {
      cancel();
    }
  }

  /** Why it ended. */
  readonly closed: Promise<Trouble>;
  readonly #client: MqttClient;
  readonly #socket: Socket;
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #acks: Acks;
  readonly #pending = new Set<(trouble: Trouble) => void>();
  /** By packet id: who waits for PUBACK. */
  readonly #published = new Map<number, Published>();
  readonly #ids = new PacketIds();
  #echoed: (() => void) | undefined;
  #greeting: IConnackPacket | undefined;
  #trouble: Trouble | undefined;
  #isClosed = false;
  #gathered = 0;

  private constructor(socket: Socket, settings: Settings, clock: Clock, receive: Receive) {
    this.#socket = socket;
    this.#settings = settings;
    this.#clock = clock;
    this.#acks = new Acks((bytes) => {
      if (this.#isClosed || !socket.writable) return false;
      socket.write(bytes);
      return true;
    });
    const client = new MqttClient(() => socket, { ...clientOptions(settings), messageIdProvider: this.#ids });
    this.#client = client;
    client.handleMessage = (packet, done) => {
      const held = receive(this.#arrival(packet, packet.qos === 1 ? 1 : 0));
      const proceed = (): void => done(packet.qos === 1 ? heldBack : undefined);
      if (held) this.#hold(held, proceed);
      else proceed();
    };
    // Of QoS 2, which we never ask for: a session that another program began may still have some. They are done as those
    // of QoS 1 are; the library answers the rest of the exchange.
    client.options.customHandleAcks = (_topic, _payload, packet: Received, done) => {
      if (packet.qos !== 2) {
        done(0);
        return;
      }
      const held = receive(this.#arrival(packet, 2));
      if (held) this.#hold(held, () => done(heldBack));
      else done(heldBack);
    };
    client.on('error', (error) => {
      if (error !== heldBack) this.#fail(troubleOf(error, this.#greeting === undefined, settings));
    });
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'puback') this.#taken(packet);
      else if (packet.cmd === 'pingresp') this.#echoed?.();
    });
    client.on('disconnect', ({ reasonCode = 0 }) => {
      this.#trouble ??= new Trouble(
        `the broker ended the connection: ${reasonText(reasonCode)}${takenOver(reasonCode, settings)}`,
      );
    });
    this.closed = new Promise((resolve) => {
      client.once('close', () => {
        this.#isClosed = true;
        const trouble = this.#trouble ?? new Trouble('the broker closed the connection');
        for (const fail of [...this.#pending, ...this.#published.values()]) fail(trouble);
        this.#pending.clear();
        this.#published.clear();
        resolve(trouble);
      });
    });
  }

  /** The broker remembered us: our subscriptions are there, and what we have not acknowledged comes again. */
  get sessionPresent(): boolean {
    return this.#greeting?.sessionPresent === true;
  }

  /** What the broker says that it takes (MQTT 5). */
  get limits(): NonNullable<IConnackPacket['properties']> {
    return this.#greeting?.properties ?? {};
  }

  /** How many messages came over it that the broker does not know to be done. */
  get owed(): number {
    return this.#acks.owed;
  }

  /** `done` is called when the broker has it (QoS 1) or when it is written (QoS 0); with {@link Refused} or {@link Trouble} if not. */
  publish(publication: Publication, done: Published): void {
    const packetId = publication.qos === 0 ? 0 : this.#ids.allocate();
    if (this.#isClosed || packetId === null) {
      done(this.#trouble ?? new Trouble('the connection was closed'));
      return;
    }
    this.#gather();
    const [head, payload] = publishPacket(publication, packetId);
    if (packetId > 0) this.#published.set(packetId, done);
    const written = (error?: Error | null): void => {
      if (error) void this.closed.then(done);
      else done();
    };
    const last = payload ?? head;
    if (payload) this.#socket.write(head);
    if (packetId > 0) this.#socket.write(last);
    else this.#socket.write(last, written);
    if (this.#gathered >= together) this.#release();
  }

  /** Resolves with what the broker granted, one code a filter: a QoS, or a reason from 0x80 on. */
  subscribe(filters: readonly string[], qos: 0 | 1): Promise<readonly number[]> {
    // Retained messages come once, when a subscription is new, not at each start (MQTT 5).
    const wanted = Object.fromEntries(filters.map((filter) => [filter, { qos, rh: 1 }]));
    return new Promise((resolve, reject) => {
      const ask = (done: Settle<readonly number[]>): void => {
        this.#client.subscribe(wanted, (error, _granted, packet) => {
          const codes = packet?.granted?.map(Number);
          if (codes) done(undefined, codes);
          else done(error);
        });
      };
      this.#answered(ask, (codes = []) => resolve(codes), reject);
    });
  }

  unsubscribe(filters: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#answered((done) => this.#client.unsubscribe([...filters], (error) => done(error)), resolve, reject);
    });
  }

  /** Acknowledges what is due, says goodbye, and is closed. */
  async end(): Promise<void> {
    if (this.#isClosed) return;
    this.#acks.flush();
    this.#trouble ??= new Trouble('it was closed on our side');
    const cancel = this.#clock.after(goodbyeMs, () => this.#socket.destroy());
    await this.#echo();
    this.#client.end(false);
    await this.closed;
    cancel();
  }

  /** At once, without a goodbye. */
  destroy(trouble: Trouble): void {
    this.#fail(trouble);
  }

  async #greet(signal: AbortSignal): Promise<void> {
    const leave = (): void =>
      this.#fail(signal.reason instanceof Trouble ? signal.reason : new Trouble('it was given up'));
    signal.addEventListener('abort', leave, { once: true });
    const greeted = new Promise<void>((resolve, reject) => {
      this.#client.once('connect', (packet) => {
        this.#greeting = packet;
        resolve();
      });
      void this.closed.then((trouble) => reject(this.#trouble ?? silent(trouble.message, this.#settings)));
    });
    this.#client.connect();
    if (signal.aborted) leave();
    try {
      await greeted;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #taken({ messageId = 0, reasonCode = 0 }: Puback): void {
    const done = this.#published.get(messageId);
    if (!done) return;
    this.#published.delete(messageId);
    this.#ids.deallocate(messageId);
    done(reasonCode < 0x80 ? undefined : new Refused(reasonCode));
  }

  /** What is published in one turn of the event loop is written together: a system call costs as much as a message. */
  #gather(): void {
    if (this.#gathered === 0) {
      this.#socket.cork();
      setImmediate(() => this.#release());
    }
    this.#gathered++;
  }

  #release(): void {
    if (this.#gathered === 0) return;
    this.#gathered = 0;
    this.#socket.uncork();
  }

  /** The broker has read all that was written before: what is on its way when a connection is closed may be thrown away. */
  #echo(): Promise<void> {
    return new Promise((resolve) => {
      void this.closed.then(() => resolve());
      this.#echoed = resolve;
      this.#client.sendPing();
    });
  }

  #arrival(packet: Received, qos: 0 | 1 | 2): Arrival {
    const { messageId: packetId = 0 } = packet;
    return { packet, link: this, acknowledge: qos === 0 ? undefined : this.#acks.owe({ packetId, twice: qos === 2 }) };
  }

  /** Nothing is read meanwhile, not even that the broker lives: so it is taken to live, and shown that we do. */
  #hold(held: Promise<void>, proceed: () => void): void {
    let cancel = (): void => {};
    const live = (): void => {
      cancel = this.#clock.after(
        this.#settings.keepalive * 500,
        () => {
          if (this.#isClosed) return;
          this.#client.sendPing();
          this.#client.reschedulePing(true);
          live();
        },
        true,
      );
    };
    live();
    void held.then(() => {
      cancel();
      if (!this.#isClosed) this.#client.reschedulePing(true);
      proceed();
    });
  }

  /** The library forgets whom it owes an answer when the connection ends. */
  #answered<T = void>(
    ask: (done: Settle<T>) => void,
    resolve: (value?: T) => void,
    reject: (failed: Refused | Trouble) => void,
  ): void {
    if (this.#isClosed) {
      reject(this.#trouble ?? new Trouble('the connection was closed'));
      return;
    }
    this.#pending.add(reject);
    ask((error, value) => {
      if (!this.#pending.delete(reject)) return;
      if (!error) {
        resolve(value);
        return;
      }
      const code = (error as { readonly code?: unknown }).code;
      if (typeof code === 'number') reject(new Refused(code));
      // The reason comes a moment later.
      else void this.closed.then(reject);
    });
  }

  #fail(trouble: Trouble): void {
    this.#trouble ??= trouble;
    this.#socket.destroy();
  }
}

const takenOver = (code: number, { clientId }: Settings): string =>
  code === 0x8e ? `: each client needs a \`clientId\` of its own, and another one uses \`${clientId}\`` : '';

const silent = (what: string, { version }: Settings): Trouble => {
  const older = version === 5 ? ', or only MQTT 3.1.1 (`version: 3.1.1`)' : '';
  return new Trouble(`${what} before it said anything: does it speak TLS there (\`mqtts:\`)${older}?`);
};

/** What the library tells, by its code: its texts may hold anything. */
function troubleOf(error: Error, greeting: boolean, settings: Settings): Trouble {
  const code: unknown = 'code' in error ? error.code : undefined;
  if (typeof code === 'number') return greeting ? refusal(code, settings.version) : new Trouble(reasonText(code));
  if (greeting && (code === 'ECONNRESET' || code === 'EPIPE'))
    return silent('the broker closed the connection', settings);
  if (typeof code === 'string') return socketTrouble(error, true);
  if (/timeout/i.test(error.message)) return new Trouble('the broker does not answer any more');
  return new Trouble('the broker sent something that is not MQTT');
}

const clientOptions = (settings: Settings): ConstructorParameters<typeof MqttClient>[1] => ({
  manualConnect: true,
  // It lives as long as its connection does; the next one is made by us.
  reconnectPeriod: 0,
  resubscribe: false,
  queueQoSZero: false,
  connectTimeout: settings.connectTimeout,
  protocolId: 'MQTT',
  protocolVersion: settings.version === 5 ? 5 : 4,
  clientId: settings.clientId,
  clean: settings.clean,
  keepalive: settings.keepalive,
  ...(settings.username === undefined ? {} : { username: settings.username }),
  ...(settings.password === undefined ? {} : { password: settings.password }),
  ...(settings.version === 5 ? { properties: properties(settings) } : {}),
  // Else it would set its timer anew at every packet.
  reschedulePings: false,
  // It would build texts of every packet.
  log: () => {},
});

const properties = ({ clean, sessionExpiry, receiveMaximum }: Settings) => ({
  ...(clean ? {} : { sessionExpiryInterval: sessionExpiry }),
  ...(receiveMaximum === undefined ? {} : { receiveMaximum }),
});
