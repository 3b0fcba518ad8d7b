import { Body, type Deliver, type Failure, type Incoming, type QueueReader } from '#sdk';
import { VirtualClock } from '../../../src/core/clock.ts';
import { seededRandom } from '../../../src/core/random.ts';
import { StoredQueue } from '../../../src/flow/durable-queue/queue.ts';
import { Ownership } from '../../../src/flow/ownership.ts';
import { codec } from '../../../src/format/codec.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import type { ListOptions, Store, Write, Written } from '../../../src/store/store.ts';
import { type RecordingLog, recordingLog } from '../../support/plain-context.ts';

/** A store whose writes wait until the test lets them go, in any order, or fail. */
export class SlowStore {
  readonly inner: Store;
  readonly shared: boolean;
  /** Puts that wait. */
  held: { readonly batch: readonly Write[]; readonly go: () => void; readonly fail: (error: Failure) => void }[] = [];
  holding = false;
  largestPage = 0;
  lists = 0;
  failing: Failure | undefined;

  constructor(inner: Store, shared = false) {
    this.inner = inner;
    this.shared = shared;
  }

  get(space: string, key: string) {
    return this.failing ? Promise.reject(this.failing) : this.inner.get(space, key);
  }

  async list(space: string, options: ListOptions) {
    if (this.failing) throw this.failing;
    this.lists++;
    const page = await this.inner.list(space, options);
    this.largestPage = Math.max(this.largestPage, page.entries.length);
    return page;
  }

  write(batch: readonly Write[]): Promise<Written> {
    if (this.failing) return Promise.reject(this.failing);
    if (!this.holding) return this.inner.write(batch);
    return new Promise((resolve, reject) => {
      this.held.push({ batch, go: () => resolve(this.inner.write(batch)), fail: reject });
    });
  }
}

export interface World {
  readonly clock: VirtualClock;
  readonly log: RecordingLog;
  readonly slow: SlowStore;
  readonly open: (seed?: number) => Promise<{ queue: StoredQueue; ownership: Ownership }>;
}

export function world({ shared = false, inner }: { shared?: boolean; inner?: Store } = {}): World {
  const clock = new VirtualClock();
  const log = recordingLog();
  const slow = new SlowStore(inner ?? new MemoryStore(clock, log), shared);
  const store = slow as unknown as Store;
  return {
    clock,
    log,
    slow,
    async open(seed = 1) {
      const services = { clock, log, random: seededRandom(seed), codec };
      const ownership = new Ownership(store, services);
      await ownership.open();
      return { queue: new StoredQueue('jobs', { store, ownership, services }), ownership };
    },
  };
}

export const message = (value: unknown): Incoming => ({
  body: Body.value(value),
  headers: { __proto__: null, 'x-a': 'b' } as unknown as Incoming['headers'],
  origin: { receivedAt: 5, attempt: 1, source: { channel: 'jobs' }, params: { id: '7' } },
});

/** A reader whose messages the test ends. */
export function reader(options: Partial<QueueReader> = {}) {
  const got: unknown[] = [];
  const ends: { readonly done: () => void; readonly fail: (error: Failure) => void }[] = [];
  const deliver: Deliver = async (incoming) => {
    got.push(await incoming.body.value(codec));
    await new Promise<void>((resolve, reject) => ends.push({ done: resolve, fail: reject }));
    return undefined;
  };
  const all: QueueReader = { flow: 'f', deliver, concurrency: 1, inOrder: true, capacity: 1000, ...options };
  return { ...all, got, ends };
}

/** One that does everything at once. */
export function eager(options: Partial<QueueReader> = {}) {
  const got: unknown[] = [];
  const deliver: Deliver = async (incoming) => {
    got.push(await incoming.body.value(codec));
    return undefined;
  };
  const all: QueueReader = { flow: 'f', deliver, concurrency: 1, inOrder: true, capacity: 1_000_000, ...options };
  return { ...all, got };
}

export const numbers = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
