import { failure, toFailure } from '../../errors.ts';
import type { Store, Write } from '../../store/store.ts';
import { Crashes } from './crashes.ts';
import { bounds, lost, numbered, numberOf, space } from './keys.ts';

/** What is read ahead at most: messages, and their bytes together. */
const ahead = { messages: 64, bytes: 4 * 1024 ** 2 } as const;
/** Messages that are being written at once. */
const writesAtOnce = 1000;
/** Keys that one write removes besides. */
const leftoversAtOnce = 100;
const leftoversMost = 1000;

/** A message that waits. */
export interface Waiting {
  readonly number: number;
  readonly record: Uint8Array;
}

export interface Taken extends Waiting {
  readonly part: Part;
  /** Which one it is, where crashes were counted. */
  readonly attempt: number | undefined;
}

interface Writing {
  readonly number: number;
  state: 'writing' | 'written' | 'failed';
  /** Until it is settled. */
  record: Uint8Array | undefined;
}

/**
 * The messages of a queue that one process took in. Writing goes on side by side, so that many share one fsync; the order
 * is that of the numbers, which are given before. The first few that wait are in memory, the rest only in the store.
 */
export class Part {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #fence: () => readonly Write[];
  readonly #changed: () => void;
  readonly #crashes: Crashes;
  /** Handed over, and not settled. */
  #out = 0;
  /** In the order of their numbers, as long as one before them is being written. */
  #writing: Writing[] = [];
  #ready: Waiting[] = [];
  #readyBytes = 0;
  #next = 1;
  /** Up to here everything was made ready, or is known not to be there. */
  #read = 0;
  #count = 0;
  /** The last number that was there at the start. */
  #old = 0;
  #reading = false;
  /** Writes that failed, and may be in the store nevertheless. */
  #leftovers: string[] = [];

  /** `fence`: what a write must check. `changed`: there may be something to take. */
  constructor(store: Store, prefix: string, fence: () => readonly Write[], changed: () => void) {
    this.#store = store;
    this.#prefix = prefix;
    this.#fence = fence;
    this.#changed = changed;
    this.#crashes = new Crashes(store, prefix, fence);
  }

  async open(): Promise<void> {
    const found = await bounds(this.#store, this.#prefix);
    await this.#crashes.look(found?.first);
    if (!found) return;
    this.#old = found.last;
    this.#next = found.last + 1;
    this.#read = found.first - 1;
    this.#count = found.last - found.first + 1;
  }

  /** How many messages wait or are being worked on; after a restart gaps between them count until they are passed. */
  get count(): number {
    return this.#count;
  }

  /** Resolves once it is on disk. */
  async put(record: Uint8Array): Promise<void> {
    if (this.#writing.length >= writesAtOnce) {
      const detail = `${writesAtOnce} messages are being written`;
      throw failure('overloaded', { detail, retryAfter: 1000 });
    }
    const one: Writing = { number: this.#next++, state: 'writing', record };
    this.#writing.push(one);
    this.#count++;
    const key = numbered(this.#prefix, one.number);
    const leftovers = this.#leftovers.splice(0, leftoversAtOnce);
    const removed = leftovers.map((left): Write => ({ op: 'delete', space, key: left }));
    try {
      const fence = this.#fence();
      const written = await this.#store.write([...fence, ...removed, { op: 'put', space, key, value: record }]);
      if (!written.written) throw failure('store', { store: this.#store.kind, detail: lost, sent: false });
      one.state = 'written';
    } catch (thrown) {
      one.state = 'failed';
      this.#count--;
      const error = toFailure(thrown);
      const unsent = error.facts['sent'] === false;
      if (!unsent) error.outcome = 'unknown';
      this.#leftovers.push(...leftovers, ...(unsent ? [] : [key]));
      if (this.#leftovers.length > leftoversMost) this.#leftovers.shift();
      throw error;
    } finally {
      this.#settle();
    }
  }

  /** The first message that waits here in memory; more of them are fetched meanwhile. `count`: how many may be out at once. */
  take(count: number): Taken | undefined {
    const [first] = this.#ready;
    if (!first || this.#crashes.knows(this.#most(count)) !== true) return undefined;
    if (this.#crashes.careful && this.#out > 0) return undefined;
    this.#ready.shift();
    this.#readyBytes -= first.record.length;
    this.#out++;
    return { ...first, part: this, attempt: this.#crashes.attemptOf(first.number) };
  }

  /** Whether {@link note} has to come before anything can be taken. */
  mustNote(count: number): boolean {
    return this.#ready.length > 0 && this.#crashes.knows(this.#most(count)) === false;
  }

  async note(count: number): Promise<void> {
    await this.#crashes.note(this.#most(count));
    this.#changed();
  }

  #most(count: number): number {
    return this.#crashes.careful ? 1 : count;
  }

  /** It waits on, at its place. */
  giveBack(one: Waiting): void {
    this.#out--;
    const at = this.#ready.findIndex((other) => other.number > one.number);
    this.#ready.splice(at < 0 ? this.#ready.length : at, 0, one);
    this.#readyBytes += one.record.length;
  }

  /** It is done. */
  async remove({ number }: Waiting): Promise<void> {
    const key = numbered(this.#prefix, number);
    await this.#store.write([{ op: 'delete', space, key }, ...this.#crashes.removals(number)]);
    this.#crashes.settled(number);
    this.#out--;
    this.#count--;
  }

  /** After an orderly end nobody is suspected. */
  async close(): Promise<void> {
    if (this.#out === 0) await this.#crashes.close();
  }

  /** Whether the store has more than what is ready. */
  get hasMore(): boolean {
    return this.#read < this.#settled;
  }

  /** Reads on, as far as there is room. */
  async readAhead(): Promise<void> {
    const room = ahead.messages - this.#ready.length;
    if (this.#reading || !this.hasMore || room <= 0 || this.#readyBytes >= ahead.bytes) return;
    this.#reading = true;
    try {
      // What was written before the list began is seen by it.
      const upTo = this.#settled;
      const after = numbered(this.#prefix, this.#read);
      const { entries, next } = await this.#store.list(space, { prefix: this.#prefix, after, limit: room });
      const found = entries.filter(({ key }) => numberOf(key) <= upTo && !this.#leftovers.includes(key));
      for (const { key, value } of found) {
        this.#ready.push({ number: numberOf(key), record: value });
        this.#readyBytes += value.length;
      }
      const last = entries.at(-1);
      const whole = next === undefined || (last !== undefined && numberOf(last.key) > upTo);
      const before = this.#read;
      this.#read = whole ? upTo : Math.max(numberOf(next), before);
      const old = found.filter(({ key }) => numberOf(key) <= this.#old).length;
      this.#count -= Math.max(0, Math.min(this.#read, this.#old) - before) - old;
    } finally {
      this.#reading = false;
    }
    this.#changed();
  }

  /** The last number that no write under way can come before. */
  get #settled(): number {
    return (this.#writing[0]?.number ?? this.#next) - 1;
  }

  #settle(): void {
    let first = this.#writing[0];
    while (first && first.state !== 'writing') {
      this.#writing.shift();
      this.#passOn(first);
      first = this.#writing[0];
    }
    this.#changed();
  }

  /** What comes while all before it is ready need not be read again. */
  #passOn({ number, state, record }: Writing): void {
    if (this.#reading || this.#read !== number - 1) return;
    if (state === 'written' && record) {
      if (this.#ready.length >= ahead.messages || this.#readyBytes >= ahead.bytes) return;
      this.#ready.push({ number, record });
      this.#readyBytes += record.length;
    }
    this.#read = number;
  }
}
