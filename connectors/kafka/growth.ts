import { type Clock, sleep } from '#sdk';
import type { Cluster } from './cluster.ts';

/** How often it is looked whether a topic has got more partitions. */
const every = 30_000;

/** Notes how many partitions topics have, and notices when they get more. */
export class Growth {
  readonly #topics: readonly string[];
  readonly #ending = new AbortController();
  readonly #first = new Map<string, number>();
  readonly #now = new Map<string, number>();

  constructor(topics: readonly string[]) {
    this.#topics = topics;
  }

  /** Whether a partition was made while we were looking. */
  isNew(topic: string, partition: number): boolean {
    const first = this.#first.get(topic);
    return first !== undefined && partition >= first;
  }

  /** Looks every so often, and calls `grown` when there are more. */
  async watch(clock: Clock, cluster: () => Cluster | undefined, grown: () => void): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const there = cluster();
      if (there && (await this.#look(there).catch(() => false))) grown();
      await sleep(clock, every, signal).catch(() => undefined);
    }
  }

  stop(): void {
    this.#ending.abort(new Error('the source stops'));
  }

  async #look(cluster: Cluster): Promise<boolean> {
    let more = false;
    for (const topic of this.#topics) {
      const { partitions } = await cluster.leaders(topic, true);
      const before = this.#now.get(topic);
      if (before === undefined) this.#first.set(topic, partitions.length);
      else if (partitions.length > before) more = true;
      this.#now.set(topic, partitions.length);
    }
    return more;
  }
}
