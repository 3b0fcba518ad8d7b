import { type Deliver, type Log, toFailure } from '#sdk';
import { Connection, type World } from './connection.ts';
import { Drops } from './drops.ts';
import { Held } from './held.ts';
import type { Arrival, Link, Received } from './link.ts';
import { incomingOf } from './message.ts';
import type { Settings } from './settings.ts';
import { Subscriptions } from './subscriptions.ts';
import { compileFilters } from './topics.ts';
import { Trouble } from './trouble.ts';

/** A flow that takes messages out. */
export interface Reader {
  readonly flow: string;
  readonly topics: readonly string[];
  readonly share: string | undefined;
  readonly qos: 0 | 1;
  /** How many of QoS 0 may wait in it. */
  readonly capacity: number;
  readonly deliver: Deliver;
  readonly log: Log;
}

interface Seat extends Reader {
  readonly match: ReturnType<typeof compileFilters>;
  stopping: boolean;
  /** Handed over and not settled. */
  underWay: number;
  idle: (() => void) | undefined;
}

/**
 * The session of one client, and what came over it and is not acknowledged. It outlives a reload, because sources share
 * it: the reader that was attached last takes, and what an earlier one gives back goes to it.
 */
export class Inbox {
  readonly #settings: Settings;
  readonly #clock: World['clock'];
  readonly #log: Log;
  readonly #connection: Connection;
  readonly #subscriptions = new Subscriptions();
  readonly #drops: Drops;
  /** How many messages the flow may have at once. */
  readonly #most: number;
  /** By packet id: what the broker keeps until our acknowledgement is written. */
  readonly #held = new Map<number, Held>();
  #seats: readonly Seat[] = [];
  /** Handed over and not settled, those of connections that are gone included. */
  #underWay = 0;
  /** Those that wait for room, in their order. */
  readonly #next = new Set<Held>();
  #fleeting = 0;
  /** Connections that are not read for now. */
  #heldBack: (() => void)[] = [];
  #latest: Link | undefined;
  #preparing = false;
  #strange = 0;

  constructor(settings: Settings, world: Pick<World, 'clock' | 'random' | 'log' | 'facts'>) {
    this.#settings = settings;
    this.#most = settings.receiveMaximum ?? 1;
    this.#clock = world.clock;
    this.#log = world.log;
    this.#drops = new Drops(world);
    this.#connection = new Connection(settings, {
      ...world,
      receive: (arrival) => this.#receive(arrival),
      prepare: (link) => this.#prepare(link),
    });
  }

  get ready(): boolean {
    return this.#connection.link !== undefined;
  }

  /** Why it is not ready. */
  get trouble(): string {
    return this.#connection.trouble;
  }

  /** The returned functions are those of its source. */
  async attach(reader: Reader): Promise<{ readonly stop: () => void; readonly leave: () => Promise<void> }> {
    const seat: Seat = {
      ...reader,
      match: compileFilters(reader.topics),
      stopping: false,
      underWay: 0,
      idle: undefined,
    };
    this.#seats = [...this.#seats, seat];
    const leave = async (): Promise<void> => {
      seat.stopping = true;
      await settled(seat);
      this.#seats = this.#seats.filter((other) => other !== seat);
      // The last one leaves its subscriptions to the broker: messages wait there until we come back.
      if (this.#seats.length > 0) await this.#resubscribe().catch(() => {});
    };
    try {
      await this.#connection.open();
      await this.#resubscribe();
    } catch (thrown) {
      this.#seats = this.#seats.filter((other) => other !== seat);
      throw thrown;
    }
    for (const held of this.#held.values()) if (held.state === 'waiting') this.#handOver(held);
    this.#readOn();
    return {
      stop: () => {
        seat.stopping = true;
      },
      leave,
    };
  }

  async close(): Promise<void> {
    for (const readOn of this.#heldBack.splice(0)) readOn();
    await this.#connection.close();
    this.#drops.close();
  }

  /** The reader that was attached last and is not stopping. */
  get #active(): Seat | undefined {
    return this.#seats.findLast((seat) => !seat.stopping);
  }

  async #prepare(link: Link): Promise<void> {
    if (!link.sessionPresent) {
      // It knows nothing of what came before: its packet ids are other messages'.
      this.#held.clear();
    }
    for (const [packetId, held] of this.#held) {
      // The broker did not give it again, for it had expired or was known to be done.
      if (held.link !== this.#latest && held.link !== link && held.state !== 'under way') this.#held.delete(packetId);
    }
    this.#latest = link;
    this.#preparing = true;
    try {
      await this.#subscriptions.renew(link, this.#seats, link.sessionPresent);
    } finally {
      this.#preparing = false;
    }
  }

  async #resubscribe(): Promise<void> {
    const { link } = this.#connection;
    if (!link) return;
    try {
      await this.#subscriptions.adapt(link, this.#seats);
    } catch (thrown) {
      // Else the connection was lost, and the next one is prepared anew.
      if (thrown instanceof Trouble && thrown.lasting) throw thrown;
    }
  }

  #receive({ packet, link, acknowledge }: Arrival): Promise<void> | undefined {
    const seat = this.#active;
    if (!acknowledge) {
      this.#fleet(packet, seat);
      return undefined;
    }
    const { messageId: packetId = 0 } = packet;
    const known = this.#held.get(packetId);
    if (known && link.sessionPresent && known.isSame(packet)) {
      // The broker gives it again, after a loss of the connection, while it is still here: it is owed there now.
      known.owe(link, acknowledge);
      if (known.state === 'done') this.#acknowledge(known);
      else if (known.state === 'waiting') this.#handOver(known);
      return this.#bounded(link);
    }
    const held = new Held(packet, link, acknowledge);
    this.#held.set(packetId, held);
    this.#handOver(held);
    return this.#bounded(link);
  }

  /** MQTT 3.1.1 has no receive maximum, and messages of lost connections may still be under way: what is too much is not read. */
  #bounded(link: Link): Promise<void> | undefined {
    // The answer to our subscription may stand behind what the session had in store.
    if (this.#preparing || this.#fits(link)) return undefined;
    return new Promise((resolve) => {
      this.#heldBack.push(resolve);
    });
  }

  #fits({ owed }: Link): boolean {
    return this.#next.size === 0 && owed <= this.#most;
  }

  /** There may be room again. */
  #readOn(): void {
    for (const held of this.#next) {
      if (this.#underWay >= this.#most) return;
      this.#next.delete(held);
      this.#handOver(held);
    }
    if (this.#heldBack.length === 0 || (this.#latest && !this.#fits(this.#latest))) return;
    for (const readOn of this.#heldBack.splice(0)) readOn();
  }

  #handOver(held: Held): void {
    const seat = this.#active;
    held.state = 'waiting';
    if (!seat) return;
    if (this.#underWay >= this.#most) {
      this.#next.add(held);
      return;
    }
    held.state = 'under way';
    this.#underWay++;
    this.#deliver(held.packet, seat).then(
      () => {
        this.#underWay--;
        held.state = 'done';
        this.#acknowledge(held);
        this.#left(seat);
        this.#readOn();
      },
      (thrown: unknown) => {
        this.#underWay--;
        held.state = 'waiting';
        const { code } = toFailure(thrown);
        this.#log.debug('a message was given back and stays with the broker', { flow: seat.flow, code });
        if (this.#active !== seat) this.#handOver(held);
        this.#left(seat);
        this.#readOn();
      },
    );
  }

  #acknowledge(held: Held): void {
    const { messageId: packetId = 0 } = held.packet;
    held.acknowledge(() => {
      if (this.#held.get(packetId) === held) this.#held.delete(packetId);
      this.#readOn();
    });
  }

  /** QoS 0: here or nowhere. */
  #fleet(packet: Received, seat: Seat | undefined): void {
    if (!seat || this.#fleeting >= seat.capacity) {
      this.#drops.count(seat ? 'the queue is full' : 'the source is stopping');
      return;
    }
    this.#fleeting++;
    this.#deliver(packet, seat).then(
      () => {
        this.#fleeting--;
        this.#left(seat);
      },
      () => {
        this.#fleeting--;
        this.#drops.count('the source is stopping');
        this.#left(seat);
      },
    );
  }

  #deliver(packet: Received, seat: Seat): ReturnType<Deliver> {
    const { clientId } = this.#settings;
    const incoming = incomingOf(packet, { clientId, match: seat.match, receivedAt: this.#clock.now() });
    if (!incoming.origin.source?.['filter']) this.#tellStrange(packet.topic, seat);
    seat.underWay++;
    return seat.deliver(incoming);
  }

  /** After what follows from it: whoever waits for this closes the connection. */
  #left(seat: Seat): void {
    seat.underWay--;
    if (seat.underWay === 0) seat.idle?.();
  }

  /** Sessions keep subscriptions of former times, and nobody can ask for them. */
  #tellStrange(topic: string, { flow }: Seat): void {
    this.#strange++;
    if (this.#strange > 1) return;
    this.#log.warn(
      'A message came on a topic that no filter names: its session has a subscription of an earlier definition. A new `clientId` begins a new session',
      { flow, topic, clientId: this.#settings.clientId },
    );
  }
}

/** What it was given is done, or was given back. */
const settled = (seat: Seat): Promise<void> =>
  new Promise((resolve) => {
    if (seat.underWay === 0) resolve();
    else seat.idle = resolve;
  });
