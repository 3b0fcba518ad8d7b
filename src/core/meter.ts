/** What counts and measures, passed in as the clock is: whoever has something to count names it once and keeps what it gets. */
export interface Meter {
  /** Counts up for ever. */
  counter(name: string, help: string, labels?: Labels): Counter;
  /** Seconds, in buckets. */
  histogram(name: string, help: string, labels?: Labels): Histogram;
  /** A value that goes up and down, asked for when somebody looks; the returned function takes it away. */
  gauge(name: string, help: string, labels: Labels, read: () => number): () => void;
}

/** By name; each set of values is a series of its own: only what the file itself names may stand here, nothing of messages. */
export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  add(count?: number): void;
}

export interface Histogram {
  record(seconds: number): void;
}

const nothing = (): void => {};
const silent = { add: nothing, record: nothing };

/** Nobody looks. */
export const noMeter: Meter = { counter: () => silent, histogram: () => silent, gauge: () => nothing };

/** A meter for something that ends: what it shows as a value goes with it. */
export class MeterScope implements Meter {
  readonly #meter: Meter;
  readonly #releases = new Set<() => void>();

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  counter(name: string, help: string, labels?: Labels): Counter {
    return this.#meter.counter(name, help, labels);
  }

  histogram(name: string, help: string, labels?: Labels): Histogram {
    return this.#meter.histogram(name, help, labels);
  }

  gauge(name: string, help: string, labels: Labels, read: () => number): () => void {
    const release = this.#meter.gauge(name, help, labels, read);
    const once = (): void => {
      if (this.#releases.delete(once)) release();
    };
    this.#releases.add(once);
    return once;
  }

  end(): void {
    for (const release of this.#releases) release();
  }
}
