import type { Services } from '../../core/exchange.ts';
import { type Counter, type Meter, noMeter } from '../../core/meter.ts';
import { detailOf, Failure, failure } from '../../errors.ts';
import type { DurableQueue, Incoming, QueueReader } from '../../sdk.ts';
import type { Store } from '../../store/store.ts';
import type { Ownership } from '../ownership.ts';
import { ownersOf, partPrefix } from './keys.ts';
import { Part, type Taken } from './part.ts';
import { readKept, writeKept } from './record.ts';

export interface QueueWorld {
  readonly store: Store;
  readonly ownership: Ownership;
  readonly services: Pick<Services, 'clock' | 'random' | 'log' | 'codec'> & { readonly meter?: Meter };
}

interface Seat extends QueueReader {
  running: number;
  /** Takes nothing any more. */
  stopping: boolean;
  /** Called when nothing of it is under way. */
  idle: (() => void) | undefined;
}

// Until a reader says how many: the endpoints are open before the sources.
const capacityBeforeReader = 100_000;

/** After the store failed, or a reader gave a message back without being asked to stop. Milliseconds. */
const pauseMs = 1_000;

/**
 * Guaranteed Delivery (EIP): a Point-to-Point Channel in the store. It outlives reloads, as the channel in memory does:
 * of a flow that is open twice the reader that came last takes. On a shared store each process reads what it took in
 * itself, and what processes left that fell silent.
 */
export class StoredQueue implements DurableQueue {
  readonly #name: string;
  readonly #world: QueueWorld;
  readonly #accepted: Counter;
  readonly #refused: Counter;
  /** By owner; those that were taken over come first, for they are older. */
  readonly #parts = new Map<string, Part>();
  /** The part of this process, under the name that it has now. */
  #mine: { readonly owner: string; readonly part: Promise<Part> } | undefined;
  #takingOver: Promise<void> | undefined;
  #seats: readonly Seat[] = [];
  #capacity = capacityBeforeReader;
  #out = 0;
  #closed = false;
  /** What the store is asked at the moment. */
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #pauses = new Set<() => void>();
  #paused = false;

  constructor(name: string, world: QueueWorld) {
    this.#name = name;
    this.#world = world;
    const { meter = noMeter } = world.services;
    const labels = { queue: name };
    meter.gauge(
      'dowel_queue_messages',
      'Messages that wait in a channel, or in the store.',
      labels,
      () => this.waiting,
    );
    this.#accepted = meter.counter('dowel_queue_accepted_total', 'Messages that were put into the store.', labels);
    this.#refused = meter.counter('dowel_queue_refused_total', 'Messages that could not be put there.', labels);
  }

  /** Messages in the store that this process answers for, those under way included. */
  get waiting(): number {
    const ours = [...this.#parts].filter(([owner]) => this.#world.ownership.holds(owner));
    return ours.reduce((sum, [, part]) => sum + part.count, 0);
  }

  get isRead(): boolean {
    return this.#seats.length > 0;
  }

  async put(message: Incoming): Promise<string> {
    try {
      const id = await this.#put(message);
      this.#accepted.add();
      return id;
    } catch (thrown) {
      this.#refused.add();
      throw thrown;
    }
  }

  async #put(message: Incoming): Promise<string> {
    if (this.#closed) throw failure('stopping', { channel: this.#name });
    const { random, codec } = this.#world.services;
    const id = message.id ?? random.uuid();
    const record = await writeKept(id, message, codec);
    const part = await this.#ownPart();
    if (this.waiting >= this.#capacity) {
      throw failure('channel-full', { channel: this.#name, capacity: this.#capacity });
    }
    await this.#track(part.put(record));
    return id;
  }

  read(reader: QueueReader): { stop(): void; close(): Promise<void> } {
    const seat: Seat = { ...reader, running: 0, stopping: false, idle: undefined };
    this.#seats = [...this.#seats, seat];
    this.#capacity = reader.capacity;
    void this.takeOver();
    return {
      stop: () => {
        seat.stopping = true;
        this.#dispatch();
      },
      close: () => this.#leave(seat),
    };
  }

  /** Looks for messages of processes that fell silent, and for ours of before. */
  takeOver(): Promise<void> {
    // One at a time: a part that two open would be read twice.
    this.#takingOver ??= this.#takeOver().finally(() => {
      this.#takingOver = undefined;
    });
    return this.#takingOver;
  }

  async #takeOver(): Promise<void> {
    try {
      await this.#ownPart();
      const { store, ownership } = this.#world;
      for (const owner of store.shared ? await ownersOf(store, this.#name) : []) {
        if (this.#parts.has(owner) && ownership.holds(owner)) continue;
        if (await ownership.has(owner)) await this.#open(owner);
      }
    } catch (thrown) {
      this.#troubled('what waits in a queue could not be looked for', thrown);
      return;
    }
    this.#dispatch();
  }

  /** What is being written is written; the rest stays in the store. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const end of [...this.#pauses]) end();
    await Promise.allSettled([...this.#underWay]);
    await Promise.allSettled([...this.#parts.values()].map((part) => part.close()));
  }

  #ownPart(): Promise<Part> {
    const { me } = this.#world.ownership;
    if (this.#mine?.owner !== me) {
      const part = this.#open(me);
      this.#mine = { owner: me, part };
      part.catch(() => {
        this.#mine = undefined;
      });
    }
    return this.#mine.part;
  }

  async #open(owner: string): Promise<Part> {
    const { store, ownership } = this.#world;
    const prefix = partPrefix(this.#name, owner);
    const part = new Part(
      store,
      prefix,
      () => ownership.fence(owner),
      () => this.#dispatch(),
    );
    await this.#track(part.open());
    this.#parts.set(owner, part);
    return part;
  }

  #takes(seat: Seat): boolean {
    if (seat.stopping || seat.running >= seat.concurrency || (seat.inOrder && this.#out > 0)) return false;
    return this.#seats.findLast((other) => other.flow === seat.flow && !other.stopping) === seat;
  }

  #dispatch(): void {
    if (this.#closed) return;
    for (;;) {
      const free = this.#seats.filter((seat) => this.#takes(seat));
      // The least busy first, so that several readers share the work.
      const [seat] = free.sort((a, b) => a.running / a.concurrency - b.running / b.concurrency);
      const taken = seat && this.#take();
      if (!seat || !taken) break;
      void this.#run(seat, taken);
    }
    if (this.isRead && !this.#paused) this.#prepare();
  }

  /** How many messages may be out. */
  get #most(): number {
    return this.#seats.reduce((sum, seat) => sum + seat.concurrency, 0);
  }

  #take(): Taken | undefined {
    for (const [owner, part] of this.#parts) {
      // What another process has taken over meanwhile is its to do.
      const one = this.#world.ownership.holds(owner) ? part.take(this.#most) : undefined;
      if (one) return one;
    }
    return undefined;
  }

  /** What must happen before more can be taken. */
  #prepare(): void {
    for (const [owner, part] of this.#parts) {
      if (!this.#world.ownership.holds(owner)) continue;
      if (part.mustNote(this.#most)) this.#attempt(part.note(this.#most));
      if (part.hasMore) this.#attempt(part.readAhead());
    }
  }

  #attempt(work: Promise<void>): void {
    this.#track(work).catch((thrown: unknown) => {
      if (this.#paused || this.#closed) return;
      this.#troubled('what waits in a queue could not be read', thrown);
      this.#paused = true;
      void this.#pause().then(() => {
        this.#paused = false;
        this.#dispatch();
      });
    });
  }

  async #run(seat: Seat, taken: Taken): Promise<void> {
    seat.running++;
    this.#out++;
    const done = await this.#delivered(seat, taken);
    if (done) await this.#remove(taken);
    else {
      // A reader that stops gives back at once; one that does not would get it again and again.
      if (!seat.stopping) await this.#pause();
      taken.part.giveBack(taken);
    }
    seat.running--;
    this.#out--;
    if (seat.running === 0) seat.idle?.();
    this.#dispatch();
  }

  async #delivered(seat: Seat, { record, attempt }: Taken): Promise<boolean> {
    try {
      const { id, headers, body, ...kept } = readKept(record);
      const origin = attempt === undefined ? kept.origin : { ...kept.origin, attempt };
      const lane = seat.inOrder ? { lane: this.#name } : {};
      await seat.deliver({ id, key: id, headers, origin, body, ...lane });
      return true;
    } catch (thrown) {
      const { log } = this.#world.services;
      log.debug('a message waits on in its queue', { queue: this.#name, flow: seat.flow, detail: detailOf(thrown) });
      return false;
    }
  }

  /** Until it is removed it counts as under way: else it would come again after a crash, and after it those that were done later. */
  async #remove(taken: Taken): Promise<void> {
    for (let tries = 0; tries === 0 || !this.#closed; tries++) {
      try {
        await this.#track(taken.part.remove(taken));
        return;
      } catch (thrown) {
        if (tries === 0) this.#troubled('a message that is done could not be removed from its queue', thrown);
        await this.#pause();
      }
    }
  }

  async #leave(seat: Seat): Promise<void> {
    seat.stopping = true;
    if (seat.running > 0) {
      await new Promise<void>((resolve) => {
        seat.idle = resolve;
      });
    }
    this.#seats = this.#seats.filter((other) => other !== seat);
    this.#dispatch();
  }

  /** Ends with the queue. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#pauses.delete(end);
        resolve();
      };
      const cancel = this.#world.services.clock.after(pauseMs, end, true);
      this.#pauses.add(end);
      if (this.#closed) end();
    });
  }

  #troubled(what: string, thrown: unknown): void {
    const code = thrown instanceof Failure ? thrown.code : undefined;
    this.#world.services.log.warn(what, { queue: this.#name, code, detail: detailOf(thrown) });
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }
}
