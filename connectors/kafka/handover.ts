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

  /** Hands over what there is room for. */
  more(): void {
    if (this.#ending.signal.aborted) return;
    const partitions = this.#world.partitions();
    const share = Math.ceil(this.#world.prefetch / Math.max(1, partitions.length));
    for (let taken = true; taken; ) {
      taken = false;
      for (const partition of partitions) {
        const record = partition.progress.unfinished < share ? partition.take() : undefined;
        if (!record) continue;
        taken = true;
        const delivery = this.#deliver(partition, record).finally(() => this.#underWay.delete(delivery));
        this.#underWay.add(delivery);
      }
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

  async #deliver(partition: Partition, record: Fetched): Promise<void> {
    const { context, group, done } = this.#world;
    const { signal } = this.#ending;
    for (;;) {
      const incoming = incomingOf(partition, record, group, context.clock.now());
      try {
        await context.deliver({ ...incoming, onStart: (life) => partition.begun(record.offset, life) });
        partition.left(record.offset, true);
        done();
        this.more();
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
