import { failure } from '#sdk';
import type { Outgoing } from './outgoing.ts';

/**
 * The partition of a record: the one that is asked for; with a key the one that the Java client takes; else one for all
 * that go together, another one for the next.
 */
export class Partitioner {
  readonly #hash: (key: Buffer) => number;
  readonly #sticky = new Map<string, number>();
  readonly #next: () => number;

  /** `hash`: murmur2. `next`: any number from 0 to below 1. */
  constructor(hash: (key: Buffer) => number, next: () => number) {
    this.#hash = hash;
    this.#next = next;
  }

  of({ topic, key, partition }: Pick<Outgoing, 'topic' | 'key' | 'partition'>, count: number): number {
    if (partition !== undefined) {
      if (partition < count) return partition;
      throw failure('validation', {
        detail: `the topic ${topic} has no partition ${partition}: they end with ${count - 1}`,
      });
    }
    if (key !== undefined) return (this.#hash(key) & 0x7fffffff) % count;
    const sticky = this.#sticky.get(topic);
    if (sticky !== undefined && sticky < count) return sticky;
    const chosen = Math.floor(this.#next() * count);
    this.#sticky.set(topic, chosen);
    return chosen;
  }

  /** A batch is under way: what comes now goes with another one. */
  moveOn(topic: string, partition: number, count: number): void {
    if (this.#sticky.get(topic) === partition) this.#sticky.set(topic, (partition + 1) % count);
  }
}
