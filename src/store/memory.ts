/** The store in this process's memory: for tests, and where nothing must survive. */
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/exchange.ts';
import { failure } from '../errors.ts';
import { compareBytes } from './byte-order.ts';
import { checkAt, checkBatch, checkList } from './check-arguments.ts';
import { pageOf } from './page.ts';
import { SortedSet } from './sorted-set.ts';
import type { Entry, ListOptions, Page, Store, Write, Written } from './store.ts';
import { Sweeper, type Swept } from './sweeper.ts';

interface Kept {
  readonly space: string;
  readonly key: string;
  readonly value: Uint8Array;
  readonly version: number;
  /** Monotonic milliseconds. */
  readonly expires: number;
}

interface Space {
  readonly entries: Map<string, Kept>;
  readonly keys: SortedSet<string>;
}

const portion = 500;

export class MemoryStore implements Store {
  readonly kind = 'memory';
  readonly shared = false;
  readonly durable = false;
  readonly #clock: Clock;
  readonly #spaces = new Map<string, Space>();
  readonly #expiring = new SortedSet<Kept>(
    (a, b) => a.expires - b.expires || compareBytes(a.space, b.space) || compareBytes(a.key, b.key),
  );
  readonly #sweeper: Sweeper;
  #version = 0;
  #closed = false;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#sweeper = new Sweeper(clock, log, async () => this.#sweep());
  }

  async get(space: string, key: string): Promise<Entry | undefined> {
    this.#check();
    checkAt(space, key);
    const kept = this.#live(space, key);
    return kept && this.#shown(kept);
  }

  async list(space: string, options: ListOptions): Promise<Page> {
    this.#check();
    checkList(space, options);
    return pageOf(this.#entries(space, options), options.limit);
  }

  async write(batch: readonly Write[]): Promise<Written> {
    this.#check();
    checkBatch(batch);
    const conflict = batch.findIndex((write) => !this.#holds(write));
    if (conflict >= 0) return { written: false, conflict };
    this.#version++;
    for (const write of batch) this.#apply(write);
    return { written: true, version: this.#version };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#sweeper.stop();
    this.#spaces.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #check(): void {
    if (this.#closed) throw failure('store', { store: this.kind, detail: 'it is closed', sent: false });
  }

  #live(space: string, key: string): Kept | undefined {
    const kept = this.#spaces.get(space)?.entries.get(key);
    return kept && kept.expires > this.#clock.monotonic() ? kept : undefined;
  }

  #shown({ key, value, version, expires }: Kept): Entry {
    const ttl = expires === Number.POSITIVE_INFINITY ? undefined : expires - this.#clock.monotonic();
    return { key, value: value.slice(), version, ttl };
  }

  *#entries(name: string, { prefix = '', after }: ListOptions): Generator<Entry> {
    const space = this.#spaces.get(name);
    if (!space) return;
    const start = after !== undefined && compareBytes(after, prefix) > 0 ? after : prefix;
    for (const key of space.keys.from(start)) {
      if (key === after) continue;
      if (!key.startsWith(prefix)) return;
      const kept = this.#live(name, key);
      if (kept) yield this.#shown(kept);
    }
  }

  #holds({ space, key, when }: Write): boolean {
    if (when === undefined) return true;
    const kept = this.#live(space, key);
    return when === 'absent' ? kept === undefined : kept?.version === when;
  }

  #apply(write: Write): void {
    const { op, space, key } = write;
    if (op === 'delete') {
      this.#remove(space, key);
      return;
    }
    const expires = write.ttl === undefined ? Number.POSITIVE_INFINITY : this.#clock.monotonic() + write.ttl;
    if (op === 'put') {
      this.#keep({ space, key, value: write.value.slice(), version: this.#version, expires });
      return;
    }
    const kept = this.#live(space, key);
    if (kept && write.ttl !== undefined) this.#keep({ ...kept, expires });
  }

  #keep(kept: Kept): void {
    const space = this.#spaces.get(kept.space) ?? { entries: new Map(), keys: new SortedSet(compareBytes) };
    this.#spaces.set(kept.space, space);
    const old = space.entries.get(kept.key);
    if (old) this.#expiring.delete(old);
    else space.keys.add(kept.key);
    space.entries.set(kept.key, kept);
    if (kept.expires === Number.POSITIVE_INFINITY) return;
    this.#expiring.add(kept);
    this.#sweeper.expect(kept.expires - this.#clock.monotonic());
  }

  #remove(name: string, key: string): void {
    const space = this.#spaces.get(name);
    const kept = space?.entries.get(key);
    if (!space || !kept) return;
    space.entries.delete(key);
    space.keys.delete(key);
    this.#expiring.delete(kept);
    if (space.entries.size === 0) this.#spaces.delete(name);
  }

  #sweep(): Swept {
    for (let removed = 0; removed < portion; removed++) {
      const first = this.#expiring.first;
      if (!first) return { more: false, next: undefined };
      const left = first.expires - this.#clock.monotonic();
      if (left > 0) return { more: false, next: left };
      this.#remove(first.space, first.key);
    }
    return { more: true, next: undefined };
  }
}
