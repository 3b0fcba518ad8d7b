import { type Clock, sleep } from '#sdk';
import type { Offset } from './membership.ts';
import type { Partition } from './partition.ts';
import { explain } from './trouble.ts';

export interface CommitWorld {
  readonly clock: Clock;
  readonly every: number;
  readonly partitions: () => readonly Partition[];
  /** Whether it was committed. */
  readonly commit: (offsets: readonly Offset[]) => Promise<boolean>;
  readonly trouble: (detail: string) => void;
}

/** So many records that are done and not committed are too many to wait for the time. */
const most = 500;

/** Writes down how far each partition is done, every so often and when it is asked to; one request at a time. */
export class Committer {
  readonly #world: CommitWorld;
  readonly #ending = new AbortController();
  #done = 0;
  #under: Promise<void> = Promise.resolve();

  constructor(world: CommitWorld) {
    this.#world = world;
  }

  async run(): Promise<void> {
    const { clock, every } = this.#world;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      await sleep(clock, every, signal).catch(() => undefined);
      if (!signal.aborted) await this.flush();
    }
  }

  /** A record is done. */
  note(): void {
    this.#done++;
    if (this.#done === most) void this.flush();
  }

  stop(): void {
    this.#ending.abort(new Error('the committer has ended'));
  }

  /** Commits what is done of these. Never rejects: what could not be committed is tried again, or repeated after all. */
  flush(partitions: readonly Partition[] = this.#world.partitions()): Promise<void> {
    this.#under = this.#under.then(() => this.#flush(partitions));
    return this.#under;
  }

  async #flush(partitions: readonly Partition[]): Promise<void> {
    const changed = partitions
      .map((partition) => ({ partition, offset: partition.progress.committable }))
      .filter(({ partition, offset }) => partition.committed !== offset);
    this.#done = 0;
    if (changed.length === 0) return;
    try {
      const committed = await this.#world.commit(
        changed.map(({ partition, offset }) => ({ topic: partition.topic, partition: partition.index, offset })),
      );
      if (committed) for (const { partition, offset } of changed) partition.committed = offset;
    } catch (thrown) {
      this.#world.trouble(explain(thrown).detail);
    }
  }
}
