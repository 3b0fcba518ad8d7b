import { type Deliver, failure, type Incoming, type Log, toFailure } from '#sdk';

/** A flow that takes messages out. */
export interface Reader {
  readonly flow: string;
  readonly concurrency: number;
  readonly capacity: number;
  readonly deliver: Deliver;
  readonly log: Log;
  /** A shutdown waits for it. */
  readonly background: (work: Promise<unknown>, what: string) => void;
  /** It takes nothing until it is resumed. */
  readonly paused: boolean;
}

/** What a source does with its place. */
export interface Seated {
  /** How many messages wait in the channel. */
  readonly waiting: number;
  /** The same, of the reader that came last; 0 of the others, so that together they tell it once. */
  readonly own: number;
  pause(): void;
  resume(): void;
  stop(): void;
  close(): void;
}

interface Seat extends Omit<Reader, 'paused'> {
  running: number;
  paused: boolean;
  /** Its source was told to stop: it goes on only while nobody else can empty the channel. */
  stopping: boolean;
  /** Set while it has something to do: a shutdown waits until it is called. */
  idle: (() => void) | undefined;
}

// Until a reader says how many: the endpoints are open before the sources.
const capacityBeforeReader = 1000;

/** What a durable channel is called in the store. */
export const queueOf = (name: string): string => `channel:${name}`;

/**
 * Point-to-Point Channel (EIP), in memory: first in, first out, bounded. It outlives a reload, because sources and
 * endpoints share it by name; the reader that was opened last for a flow is the one that takes.
 */
export class Channel {
  readonly #name: string;
  #waiting: (Incoming | undefined)[] = [];
  // Where the queue begins: shifting an array of thousands at every message would cost more than the message.
  #first = 0;
  #seats: readonly Seat[] = [];
  #capacity = capacityBeforeReader;
  #closed = false;
  #failed = 0;

  constructor(name: string) {
    this.#name = name;
  }

  get waiting(): number {
    return this.#waiting.length - this.#first;
  }

  /** Messages whose flow failed: given up, for there is nothing in memory to come back to. */
  get failed(): number {
    return this.#failed;
  }

  /** The channel is responsible from here on. Rejects with `channel-full`, or `stopping` when its readers are gone. */
  put(message: Incoming): void {
    if (this.#closed) throw failure('stopping', { channel: this.#name });
    if (this.waiting >= this.#capacity) {
      throw failure('channel-full', { channel: this.#name, capacity: this.#capacity });
    }
    this.#waiting.push(message);
    this.#dispatch();
  }

  /**
   * Adds a reader; the functions are those of its source. Between `stop` and `close` it empties the channel, paused or
   * not, unless another one does; what still waits at `close` is given up.
   */
  attach(reader: Reader): Seated {
    const { paused } = reader;
    const seat: Seat = { ...reader, running: 0, stopping: false, paused, idle: undefined };
    const pause = (paused: boolean) => (): void => {
      seat.paused = paused;
      this.#dispatch();
    };
    this.#seats = [...this.#seats, seat];
    this.#capacity = reader.capacity;
    this.#closed = false;
    this.#dispatch();
    const waiting = (): number => this.waiting;
    const isLast = (): boolean => this.#seats.at(-1) === seat;
    return {
      get waiting() {
        return waiting();
      },
      get own() {
        return isLast() ? waiting() : 0;
      },
      pause: pause(true),
      resume: pause(false),
      stop: () => {
        seat.stopping = true;
        seat.paused = false;
        this.#dispatch();
      },
      close: () => this.#leave(seat),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  /**
   * Of a flow that has opened again, by a reload, the new seat takes; the old one again when the reload fails and the new
   * one stops. A seat that stops empties the channel only where no other is left.
   */
  #takes(seat: Seat): boolean {
    if (seat.paused) return false;
    const open = this.#seats.filter((other) => !other.stopping);
    const taking = open.length > 0 ? open : this.#seats;
    return taking.findLast((other) => other.flow === seat.flow) === seat;
  }

  #dispatch(): void {
    while (this.waiting > 0) {
      const free = this.#seats.filter((seat) => seat.running < seat.concurrency && this.#takes(seat));
      // The least busy first, so that several readers share the work.
      const [seat] = free.sort((a, b) => a.running / a.concurrency - b.running / b.concurrency);
      const message = seat && this.#take();
      if (!seat || !message) break;
      void this.#run(seat, message);
    }
    for (const seat of this.#seats) this.#tell(seat);
  }

  #take(): Incoming | undefined {
    const message = this.#waiting[this.#first];
    this.#waiting[this.#first++] = undefined;
    if (this.#first > 1024 && this.#first * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#first);
      this.#first = 0;
    }
    return message;
  }

  async #run(seat: Seat, message: Incoming): Promise<void> {
    seat.running += 1;
    try {
      await seat.deliver(message);
    } catch (thrown) {
      this.#failed += 1;
      const { code, kind, place, message: detail } = toFailure(thrown);
      const { sender } = message.origin.source ?? {};
      const facts = { channel: this.#name, flow: seat.flow, sender, code, kind, place, detail, failed: this.#failed };
      seat.log.error('A message of the channel failed and was given up', facts);
    }
    seat.running -= 1;
    this.#dispatch();
  }

  /** Between two messages nothing is under way, and yet there is more to do. */
  #tell(seat: Seat): void {
    const busy = seat.running > 0 || (this.waiting > 0 && this.#takes(seat));
    if (busy === (seat.idle !== undefined)) return;
    seat.idle?.();
    seat.idle = undefined;
    if (!busy) return;
    const done = new Promise<void>((resolve) => {
      seat.idle = resolve;
    });
    seat.background(done, `the channel ${this.#name}, which ${seat.flow} reads`);
  }

  #leave(seat: Seat): void {
    seat.stopping = true;
    this.#seats = this.#seats.filter((other) => other !== seat);
    seat.idle?.();
    this.#dispatch();
    if (this.#seats.length > 0) return;
    this.#closed = true;
    if (this.waiting === 0) return;
    this.#failed += this.waiting;
    seat.log.error('The messages that wait in the channel are given up', {
      channel: this.#name,
      flow: seat.flow,
      messages: this.waiting,
    });
    this.#waiting = [];
    this.#first = 0;
  }
}
