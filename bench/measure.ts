import { Child } from './child.ts';
import type { Outcome, Task } from './load/load.ts';
import type { Ask, Reply, Scenario } from './scenarios.ts';
import type { Running, System } from './systems/system.ts';

export interface Plan {
  readonly sizes: readonly number[];
  /** How often each system has its turn. */
  readonly slices: number;
  readonly sliceMs: number;
  /** Load after the start, before anything is measured: V8 goes on optimizing for some ten seconds of it. */
  readonly warmUpMs: number;
  /** How many requests are under way at any time. */
  readonly connections: number;
}

/** What one system showed at one job and size. */
export interface Figures {
  /** Microseconds of processor time for a request: the lower quartile of the slices. */
  readonly cpu: number;
  /** Requests a second, and milliseconds: the median of the slices. */
  readonly perSecond: number;
  readonly p99: number;
}

export interface Row {
  readonly scenario: string;
  readonly title: string;
  readonly bytes: number;
  /** By the name of the system; a system without this job is missing. */
  readonly figures: Readonly<Record<string, Figures>>;
}

/** The `share` quantile, between neighbours where it falls between them. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

async function answerOf(port: number, { method, path, headers, body }: Ask): Promise<Reply> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers,
    ...(method === 'GET' ? {} : { body }),
  });
  const contentType = response.headers.get('content-type') ?? '';
  return { status: response.status, contentType, body: await response.text() };
}

/** Whether they do the job at all: nothing is measured before. */
async function checkAll(scenario: Scenario, running: ReadonlyMap<string, Running>, bytes: number): Promise<void> {
  for (const [name, { port }] of running) {
    try {
      scenario.check(await answerOf(port, scenario.ask(bytes)), bytes);
    } catch (error) {
      throw new Error(`${name} gives a wrong answer to ${scenario.name} at ${bytes} bytes`, { cause: error });
    }
  }
}

/** The system behind and the load: two processes that all measurements share. */
export class Bench implements AsyncDisposable {
  readonly #backend = new Child(new URL('backend.ts', import.meta.url));
  readonly #load = new Child(new URL('load/load.ts', import.meta.url), { patience: 120_000 });
  #backendUrl = '';

  static async open(): Promise<Bench> {
    const bench = new Bench();
    const { port } = await bench.#backend.ask<{ readonly port: number }>();
    bench.#backendUrl = `http://127.0.0.1:${port}`;
    return bench;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#backend.stop(), this.#load.stop()]);
  }

  /** One job at all sizes: the systems run side by side and take turns in short slices. */
  async measure(
    scenario: Scenario,
    systems: readonly System[],
    plan: Plan,
    tell: (row: Row) => void,
  ): Promise<readonly Row[]> {
    const started = systems.map((system) => ({ system, running: system.start(scenario, this.#backendUrl) }));
    const running = new Map<string, Running>();
    try {
      for (const one of started) {
        const ready = await one.running;
        if (ready) running.set(one.system.name, ready);
      }
      for (const bytes of plan.sizes) await checkAll(scenario, running, bytes);
      const [smallest = 0] = plan.sizes.toSorted((a, b) => a - b);
      for (const { port } of running.values()) await this.#slice(port, scenario.ask(smallest), plan.warmUpMs, plan);
      const rows: Row[] = [];
      for (const bytes of plan.sizes) {
        const figures = await this.#atSize(scenario, running, bytes, plan);
        const row = { scenario: scenario.name, title: scenario.title, bytes, figures };
        tell(row);
        rows.push(row);
      }
      return rows;
    } finally {
      await Promise.all(started.map(async (one) => (await one.running?.catch(() => undefined))?.stop()));
    }
  }

  async #atSize(
    scenario: Scenario,
    running: ReadonlyMap<string, Running>,
    bytes: number,
    plan: Plan,
  ): Promise<Readonly<Record<string, Figures>>> {
    const ask = scenario.ask(bytes);
    for (const { port } of running.values()) await this.#slice(port, ask, plan.sliceMs, plan);
    const slices = new Map<string, Figures[]>([...running.keys()].map((name) => [name, []]));
    for (let round = 0; round < plan.slices; round += 1) {
      for (const [name, { port, cpu }] of running) {
        const before = await cpu();
        const { requests, ms, p99 } = await this.#slice(port, ask, plan.sliceMs, plan);
        slices.get(name)?.push({ cpu: ((await cpu()) - before) / requests, perSecond: (requests / ms) * 1000, p99 });
      }
    }
    return Object.fromEntries([...slices].map(([name, of]) => [name, summaryOf(of)]));
  }

  async #slice(port: number, ask: Ask, ms: number, plan: Plan): Promise<Outcome> {
    const task: Task = { port, ask, connections: plan.connections, ms };
    const { outcome } = await this.#load.ask<{ readonly outcome: Outcome }>(task);
    if (outcome.refused > 0) throw new Error(`${outcome.refused} of ${outcome.requests} requests were refused`);
    return outcome;
  }
}

const summaryOf = (slices: readonly Figures[]): Figures => ({
  cpu: quantile(
    slices.map((slice) => slice.cpu),
    0.25,
  ),
  perSecond: quantile(
    slices.map((slice) => slice.perSecond),
    0.5,
  ),
  p99: quantile(
    slices.map((slice) => slice.p99),
    0.5,
  ),
});
