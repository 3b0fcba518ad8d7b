import type { Counter, Histogram, Labels, Meter } from '../core/meter.ts';

/** Seconds: fine enough to tell one millisecond from two, and up to a minute. */
const bounds = [
  0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10, 30, 60,
] as const;

/** One name, and its series by their labels as they are written. */
interface Family {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly series: Map<string, Series>;
}

interface Series {
  lines(name: string, labels: string): readonly string[];
}

class CounterSeries implements Counter, Series {
  #count = 0;

  add(count = 1): void {
    this.#count += count;
  }

  lines(name: string, labels: string): readonly string[] {
    return [line(name, labels, this.#count)];
  }
}

class HistogramSeries implements Histogram, Series {
  readonly #counts: number[] = bounds.map(() => 0);
  #count = 0;
  #sum = 0;

  record(seconds: number): void {
    this.#count += 1;
    this.#sum += seconds;
    // Most are short: counting from the first is quicker than halving.
    for (let index = 0; index < bounds.length; index++) {
      if (seconds <= (bounds[index] as number)) {
        (this.#counts[index] as number) += 1;
        return;
      }
    }
  }

  lines(name: string, labels: string): readonly string[] {
    let below = 0;
    const buckets = bounds.map((bound, index) => {
      below += this.#counts[index] as number;
      return line(`${name}_bucket`, joined(labels, `le="${bound}"`), below);
    });
    return [
      ...buckets,
      line(`${name}_bucket`, joined(labels, 'le="+Inf"'), this.#count),
      line(`${name}_sum`, labels, this.#sum),
      line(`${name}_count`, labels, this.#count),
    ];
  }
}

/** Several versions of an integration, during a reload, have the same gauge: what they say is added up. */
class GaugeSeries implements Series {
  readonly reads = new Set<() => number>();

  lines(name: string, labels: string): readonly string[] {
    let sum = 0;
    for (const read of this.reads) sum += read();
    return [line(name, labels, sum)];
  }
}

/** The metrics of a process, in the text format of Prometheus 0.0.4. Asked twice for the same series it gives the same. */
export class Metrics implements Meter {
  readonly #families = new Map<string, Family>();

  counter(name: string, help: string, labels: Labels = {}): Counter {
    return this.#series('counter', name, help, labels, () => new CounterSeries());
  }

  histogram(name: string, help: string, labels: Labels = {}): Histogram {
    return this.#series('histogram', name, help, labels, () => new HistogramSeries());
  }

  gauge(name: string, help: string, labels: Labels, read: () => number): () => void {
    // What only grows is named so, wherever it is read from.
    const type = name.endsWith('_total') ? 'counter' : 'gauge';
    const series = this.#series(type, name, help, labels, () => new GaugeSeries());
    series.reads.add(read);
    return () => {
      series.reads.delete(read);
      if (series.reads.size === 0) this.#families.get(name)?.series.delete(written(labels));
    };
  }

  text(): string {
    const lines: string[] = [];
    for (const [name, { type, help, series }] of this.#families) {
      if (series.size === 0) continue;
      lines.push(`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${type}`);
      for (const [labels, one] of series) lines.push(...one.lines(name, labels));
    }
    return `${lines.join('\n')}\n`;
  }

  #series<T extends Series>(type: Family['type'], name: string, help: string, labels: Labels, make: () => T): T {
    let family = this.#families.get(name);
    if (!family) {
      family = { type, help, series: new Map() };
      this.#families.set(name, family);
    }
    const key = written(labels);
    let series = family.series.get(key) as T | undefined;
    if (!series) {
      series = make();
      family.series.set(key, series);
    }
    return series;
  }
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

const written = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');

const joined = (labels: string, more: string): string => (labels === '' ? more : `${labels},${more}`);

const line = (name: string, labels: string, value: number): string =>
  `${name}${labels === '' ? '' : `{${labels}}`} ${value}`;
