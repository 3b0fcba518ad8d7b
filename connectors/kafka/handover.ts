import { type SourceContext, sleep, toFailure } from '#sdk';
import type { Partition } from './partition.ts';
import { incomingOf } from './record.ts';
import type { Fetched } from './visible-records.ts';

export interface HandoverWorld {
  readonly context: Pick<SourceContext, 'deliver' | 'clock' | 'log' | 'name'>;
  readonly group: string;
  /** How many records may be under way, in all. */
  readonly prefetch: number;
  readonly partitions: () => readonly Partition[];
  /** A record is done. */
  readonly done: () => void;
  /** So many records of a partition that wait are enough. */
  readonly enough: number;
  /** More may be fetched. */
  readonly wake: () => void;
}

/** Before a record is handed over again that the flow gave back though nobody asked it to. */
const pauseMs = 1_000;

/**
 * Hands fetched records to the flow, in the order of their partitions. Each partition has its share of `prefetch`, so
 * that one that waits does not hold up the others.
 */
export class Handover {
  readonly #world: HandoverWorld;
  readonly #ending = new AbortController();
  readonly #underWay = new Set<Promise<void>>();

  constructor(world: HandoverWorld) {
    this.#world = world;
  }

  /** Hands over what there is room for, of all partitions in turn. */
  more(): void {
    const partitions = this.#world.partitions();
    for (let taken = true; taken; ) {
      taken = false;
      for (const partition of partitions) if (this.#next(partition)) taken = true;
    }
    this.#world.wake();
  }

  /** Nothing new is handed over. */
  stop(): void {
    this.#ending.abort(new Error('the source stops'));
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** Hands over one record, if there is one and there is room for it. */
  #next(partition: Partition): boolean {
    if (this.#ending.signal.aborted) return false;
    const share = Math.ceil(this.#world.prefetch / Math.max(1, this.#world.partitions().length));
    const record = partition.progress.unfinished < share ? partition.take() : undefined;
    if (!record) return false;
    const delivery = this.#deliver(partition, record).finally(() => this.#underWay.delete(delivery));
    this.#underWay.add(delivery);
    return true;
  }

  async #deliver(partition: Partition, record: Fetched): Promise<void> {
    const { context, group, done } = this.#world;
    const { signal } = this.#ending;
    for (;;) {
      const incoming = incomingOf(partition, record, group, context.clock.now());
      try {
        await context.deliver({ ...incoming, onStart: (life) => partition.begun(record.offset, life) });
        partition.left(record.offset, true);
        done();
        while (this.#next(partition));
        if (partition.waiting < this.#world.enough) this.#world.wake();
        return;
      } catch (thrown) {
        partition.left(record.offset, false);
        if (partition.lost || signal.aborted) return;
        const { code, message: detail } = toFailure(thrown);
        context.log.warn('a record came back and is handed over again', {
          flow: context.name,
          record: incoming.key,
          code,
          detail,
        });
        await sleep(context.clock, pauseMs, signal).catch(() => undefined);
        if (partition.lost || signal.aborted) return;
      }
    }
  }
}
