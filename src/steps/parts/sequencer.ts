/** Lets messages that wait in the store go on in their order. */
import { keptBody } from '../../core/record.ts';
import { type Failure, failure, toFailure } from '../../errors.ts';
import type { Later, LaterWorld } from '../step.ts';
import { heldLease } from './held-lease.ts';
import { SequenceStore, type Waiting } from './sequence-store.ts';
import { Timers } from './timers.ts';

/** How often what others left behind is looked for. Milliseconds. */
const lookMs = { shared: 5_000, own: 60_000 } as const;
/** How long a stream of a shared store stays with a process that falls silent. */
const leaseMs = 30_000;
/** After a stream that somebody else had, or that could not be worked on. */
const againMs = 1_000;

export interface SequenceRules {
  /** Milliseconds that a message waits for those before it, at most. */
  readonly gapTimeout: number;
  /** What a stream begins with; absent: whatever is the lowest. */
  readonly start: number | undefined;
  /** Milliseconds that a stream is known after its last message. */
  readonly retain: number;
  readonly late: 'fail' | 'pass';
}

export class Sequencer implements Later {
  readonly #identity: string;
  readonly #rules: SequenceRules;
  /** When each stream is to be looked at, whatever comes. */
  readonly #timers = new Timers();
  /** Streams that are being worked on here; `again`: something has come meanwhile. */
  readonly #working = new Map<string, { again: boolean }>();
  /** Of streams that wait for a number: which. Below all where any would do. Only in a store of our own nobody else goes on. */
  readonly #gaps = new Map<string, number>();
  /** Messages that are late, by id: for what happens to them. */
  readonly #late = new Map<string, Failure>();
  #world: LaterWorld | undefined;
  #store: SequenceStore | undefined;
  #stopped = false;
  #cancelLook: () => void = () => {};
  /** How many wait, as far as is known here. */
  count = 0;

  constructor(identity: string, rules: SequenceRules) {
    this.#identity = identity;
    this.#rules = rules;
  }

  open(world: LaterWorld): void {
    this.#world = world;
    this.#store = new SequenceStore(this.#identity, world.store);
    this.#timers.open(world.services.clock, (stream) => {
      this.#timers.delete(stream);
      this.work(stream);
    });
  }

  async wake(): Promise<void> {
    await this.#look();
    this.#lookLater();
  }

  begin(id: string): void {
    const late = this.#late.get(id);
    this.#late.delete(id);
    if (late) throw late;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelLook();
    this.#timers.stop();
  }

  get store(): SequenceStore {
    if (!this.#store) throw failure('bug', { detail: `${this.#identity} is not open` });
    return this.#store;
  }

  /** A message waits, durably. */
  arrived({ stream, sequence }: Waiting): void {
    const gap = this.#gaps.get(stream);
    // Its turn cannot be before the timer that runs.
    if (gap !== undefined && sequence > gap && this.#timers.has(stream)) return;
    this.work(stream);
  }

  /** Lets go on what can; whoever comes meanwhile is seen. */
  work(stream: string): void {
    const { services, underWay } = this.#opened;
    const working = this.#working.get(stream);
    if (working) working.again = true;
    const mark = `${this.#identity} ${stream}`;
    if (working || this.#stopped) return;
    // An older version of the integration has it.
    if (underWay.has(mark)) {
      this.#timers.set(stream, services.clock.now() + againMs);
      return;
    }
    underWay.add(mark);
    const state = { again: false };
    this.#gaps.delete(stream);
    this.#working.set(stream, state);
    const worked = this.#work(stream, state).finally(() => {
      this.#working.delete(stream);
      underWay.delete(mark);
      // It came when the last look was over.
      if (state.again) this.work(stream);
    });
    services.background(
      worked.catch((thrown: unknown) => this.#tryAgain(stream, toFailure(thrown))),
      `a stream of ${this.#identity}`,
    );
  }

  get #opened(): LaterWorld {
    if (!this.#world) throw failure('bug', { detail: `${this.#identity} is not open` });
    return this.#world;
  }

  #tryAgain(stream: string, { kind, code, message: detail }: Failure): void {
    const { services } = this.#opened;
    if (kind === 'cancelled') return;
    services.log.warn('a stream cannot go on yet; it is tried again', { resequence: this.#identity, code, detail });
    this.#timers.set(stream, services.clock.now() + againMs);
  }

  async #work(stream: string, state: { again: boolean }): Promise<void> {
    const { store, services } = this.#opened;
    const lease = await heldLease(store, services, `resequence ${this.#identity} ${stream}`, leaseMs);
    if (!lease) {
      this.#timers.set(stream, services.clock.now() + againMs);
      return;
    }
    try {
      do {
        state.again = false;
        this.#gaps.delete(stream);
        await this.#letGo(stream);
      } while (state.again && !this.#stopped);
    } finally {
      await lease.release();
    }
  }

  /** All that need not wait any more, one after the other. */
  async #letGo(stream: string): Promise<void> {
    const { clock } = this.#opened.services;
    const { gapTimeout } = this.#rules;
    const waiting: Waiting[] = [];
    for await (const one of this.store.waiting(stream)) waiting.push(one);
    let next = (await this.store.next(stream)) ?? this.#rules.start;
    while (!this.#stopped) {
      const [first] = waiting;
      if (!first) return;
      const oldest = Math.min(...waiting.map(({ at }) => at));
      const isNext = next !== undefined && first.sequence <= next;
      if (!isNext && oldest + gapTimeout > clock.now()) {
        this.#timers.set(stream, oldest + gapTimeout);
        if (!this.#opened.store.shared) this.#gaps.set(stream, next ?? Number.NEGATIVE_INFINITY);
        return;
      }
      waiting.shift();
      const isLate = next !== undefined && first.sequence < next;
      if (!isLate) {
        if (next !== undefined && first.sequence > next) this.#tellGap(next, first.sequence);
        next = first.sequence + 1;
      }
      await this.#deliver(first, isLate ? undefined : next);
    }
  }

  async #deliver(one: Waiting, next: number | undefined): Promise<void> {
    const kept = await this.store.message(one);
    if (kept) {
      const { id, headers, origin, contentType, span } = kept.message;
      if (next === undefined && this.#rules.late === 'fail') this.#late.set(id, lateMessage(one.sequence));
      const body = keptBody(kept.body, contentType);
      const links = span === undefined ? undefined : [span];
      await this.#opened.deliver({ id, key: id, body, headers, origin, lane: one.stream, links });
    }
    await this.store.done(one, kept?.message.message, next, this.#rules.retain);
    this.count--;
  }

  #tellGap(next: number, sequence: number): void {
    this.#opened.services.log.warn('messages of a stream have not come in time: it goes on without them', {
      resequence: this.#identity,
      missing: next === sequence - 1 ? String(next) : `${next} to ${sequence - 1}`,
    });
  }

  /** What another process, or this one before, has left. */
  async #look(): Promise<void> {
    const streams = new Set<string>();
    let count = 0;
    for await (const { stream } of this.store.waiting()) {
      count++;
      streams.add(stream);
    }
    this.count = count;
    for (const stream of streams) if (!this.#timers.has(stream)) this.work(stream);
  }

  #lookLater(): void {
    const { services, store } = this.#opened;
    if (this.#stopped) return;
    const look = (): void => {
      const looked = this.#look().catch((thrown: unknown) => {
        services.log.warn('what waits for its turn could not be looked for', { code: toFailure(thrown).code });
      });
      services.background(
        looked.finally(() => this.#lookLater()),
        `the look of ${this.#identity}`,
      );
    };
    this.#cancelLook = services.clock.after(store.shared ? lookMs.shared : lookMs.own, look, true);
  }
}

export const lateMessage = (sequence: number): Failure => failure('late-message', { sequence });
