import type { Counter, Labels, Meter } from '../../core/meter.ts';

/** What became of the messages of a flow whose source keeps them until they are settled. */
export interface Counts {
  /** Handed over by the source. */
  received: number;
  /** Done. */
  delivered: number;
  /** Attempts that failed and were followed by a wait for the next one, here or at the far side. */
  redelivered: number;
  /** Those of them that wait at the far side. */
  postponed: number;
  /** How often a message was held back because somebody was busy. */
  held: number;
  deadLettered: number;
  /** How often a dead letter could not be kept or sent. */
  deadLetterFailures: number;
  /** Left to the source as they came. */
  released: number;
}

const metrics = {
  redelivered: ['dowel_redeliveries_total', 'Attempts at a message that failed for a moment: it comes again.'],
  held: ['dowel_messages_held_total', 'How often a message was held back because somebody was busy.'],
  deadLettered: ['dowel_dead_letters_total', 'Messages that were moved to the dead letters.'],
  deadLetterFailures: ['dowel_dead_letter_failures_total', 'How often a dead letter could not be kept or sent.'],
  released: ['dowel_messages_released_total', 'Messages that went back to their source as they had come.'],
} as const satisfies Partial<Record<keyof Counts, readonly [string, string]>>;

/** Counts for whoever asks this version of a flow, and for the metrics, which outlive it. */
export class Tally {
  readonly counts: Counts = {
    received: 0,
    delivered: 0,
    redelivered: 0,
    postponed: 0,
    held: 0,
    deadLettered: 0,
    deadLetterFailures: 0,
    released: 0,
  };
  readonly #counters: ReadonlyMap<string, Counter>;
  #open = 0;

  constructor(flow: string, meter: Meter) {
    const labels: Labels = { flow };
    const counters = Object.entries(metrics).map(([what, [name, help]]): [string, Counter] => [
      what,
      meter.counter(name, help, labels),
    ]);
    this.#counters = new Map(counters);
    const help = 'Messages that their source has handed over and waits for.';
    meter.gauge('dowel_messages_unsettled', help, labels, () => this.#open);
  }

  /** Handed over and not settled. */
  get open(): number {
    return this.#open;
  }

  add(what: keyof Counts): void {
    this.counts[what]++;
    this.#counters.get(what)?.add();
  }

  opened(): void {
    this.add('received');
    this.#open++;
  }

  closed(): void {
    this.#open--;
  }
}
