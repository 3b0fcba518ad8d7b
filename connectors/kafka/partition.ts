import { type Failure, failure, type Life } from '#sdk';
import { Progress } from './progress.ts';
import type { Fetched } from './visible-records.ts';

/** A partition that the group gave to us: what was fetched of it, what is under way, and how far it is done. */
export class Partition {
  readonly topic: string;
  readonly index: number;
  /** Where fetching goes on. */
  position: bigint;
  /** What the cluster knows to be done. */
  committed: bigint | undefined;
  readonly progress: Progress;
  #waiting: Fetched[] = [];
  #first = 0;
  #bytes = 0;
  readonly #lives = new Map<bigint, Life>();
  #taken: Failure | undefined;
  #released = false;
  #idle: (() => void) | undefined;

  constructor(topic: string, index: number, start: bigint, committed: bigint | undefined) {
    this.topic = topic;
    this.index = index;
    this.position = start;
    this.committed = committed;
    this.progress = new Progress(start);
  }

  get name(): string {
    return partitionName(this.topic, this.index);
  }

  /** It went to another member of the group: nothing of it is begun any more. */
  get lost(): boolean {
    return this.#taken !== undefined;
  }

  /** How many records wait here to be handed over. */
  get waiting(): number {
    return this.#waiting.length - this.#first;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What was fetched from `position` on; `next`: where it goes on. */
  add(records: readonly Fetched[], next: bigint): void {
    this.#waiting.push(...records);
    for (const { bytes } of records) this.#bytes += bytes;
    this.position = next;
    if (this.waiting === 0) this.progress.skipTo(next);
  }

  /** The log does not have `position`: it goes on with `next`. */
  restart(next: bigint): void {
    if (next < this.position) {
      // It is another log: what waits here is of the one that is gone.
      this.#waiting = [];
      this.#first = 0;
      this.#bytes = 0;
      this.progress.restart(next);
    }
    this.position = next;
    if (this.waiting === 0) this.progress.skipTo(next);
  }

  /** The next record, which is under way from now on. */
  take(): Fetched | undefined {
    const record = this.#waiting[this.#first];
    if (!record) return undefined;
    this.#first++;
    this.#bytes -= record.bytes;
    this.progress.begin(record.offset);
    if (this.#first === this.#waiting.length) {
      this.#waiting = [];
      this.#first = 0;
      this.progress.skipTo(this.position);
    }
    return record;
  }

  /** A flow begins with a record; it may not, when the partition is not ours any more. */
  begun(offset: bigint, life: Life): void {
    if (this.#taken) life.abort(this.#taken);
    else this.#lives.set(offset, life);
  }

  /** A flow has left a record. `done`: it need not come again. */
  left(offset: bigint, done: boolean): void {
    this.#lives.delete(offset);
    if (done && !this.#released) this.progress.done(offset);
    if (this.#lives.size === 0) this.#idle?.();
  }

  /** Nothing more of it is begun. Resolves when what was begun has ended. */
  giveUp(): Promise<void> {
    this.#taken ??= failure('aborted', { detail: 'its partition went to another member of the group' });
    this.#waiting = [];
    this.#first = 0;
    this.#bytes = 0;
    if (this.#lives.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  /** What has not ended by now is another one's: it is given up here, and whatever comes of it does not count. */
  release(): void {
    const reason = this.#taken;
    this.#released = true;
    if (reason) for (const life of [...this.#lives.values()]) life.abort(reason);
    this.#lives.clear();
    this.#idle?.();
  }
}

export const partitionName = (topic: string, index: number): string => `${topic}/${index}`;
