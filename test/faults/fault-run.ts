import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DowelProcess, startDowel } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import type { Fault, Scene } from './faults.ts';
import { Sink } from './sink.ts';
import type { Subject, Waiting } from './subject.ts';

export interface FaultPlan {
  readonly messages: number;
  /** What strikes, one after the other. */
  readonly strikes: readonly Fault[];
}

export interface Report {
  /** Messages that somebody took responsibility for. */
  readonly accepted: number;
  readonly lost: number;
  readonly duplicates: number;
  /** As many as there may be at most. */
  readonly bound: number;
  /** The longest time from a fault, when the taker was there again, to the first effect behind it. */
  readonly slowestRecovery: number;
  readonly ms: number;
}

/** How many messages are with the taker at once, at most. */
const prefetch = 50;
const concurrency = 20;
/** What an effect takes: slow enough for faults to strike in the middle. */
const effectMs = 10;
/** How long a start, or a reload, may take: the machine may be busy. */
const startMs = 120_000;
/** Silence after which nothing more is waited for. */
const giveUpMs = 60_000;
/** Silence after which what is still to come is late: it is struck all the same. */
const lateMs = 2_000;

/** Where messages wait, and who hands them over: for one run, or for one after the other. */
export class Place implements AsyncDisposable {
  readonly subject: Subject;
  readonly waiting: Waiting;
  readonly #folder: string;
  readonly #feeder: DowelProcess | undefined;
  #runs = 0;

  private constructor(subject: Subject, waiting: Waiting, folder: string, feeder: DowelProcess | undefined) {
    this.subject = subject;
    this.waiting = waiting;
    this.#folder = folder;
    this.#feeder = feeder;
  }

  /** `shared`: nobody stops the broker. */
  static async open(subject: Subject, shared = false): Promise<Place> {
    const waiting = await subject.start(shared);
    const folder = mkdtempSync(join(tmpdir(), 'dowel-faults-'));
    const feeder = waiting.to && startDowel(feederFile(folder, waiting.to), { env: { PORT: '0' }, within: startMs });
    return new Place(subject, waiting, folder, await feeder);
  }

  /** Where messages are handed over; absent: to the one that takes them. */
  get url(): string | undefined {
    return this.#feeder?.url;
  }

  /** Begins the names of all messages of a run: what comes late of another is none of its own. */
  nextRun(): string {
    this.#runs++;
    return `run${this.#runs}-`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#feeder?.[Symbol.asyncDispose]();
    await this.waiting[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** One kind of waiting, faults, many messages: what was accepted, and what had an effect, counted outside. */
export async function runFaults(place: Place, plan: FaultPlan): Promise<Report> {
  const since = performance.now();
  const { subject, waiting } = place;
  const folder = mkdtempSync(join(tmpdir(), 'dowel-faults-'));
  const run = place.nextRun();
  await using sink = await Sink.open(effectMs, run);
  const { silence } = sink;
  const dev = plan.strikes.some((fault) => fault.dev === true);
  const taking = await Taking.start(folder, waiting, sink.url, dev);
  try {
    const fed = feed(run, plan.messages, () => place.url ?? taking.url);
    const scene: Scene = {
      waiting,
      taker: () => taking.process,
      again: () => taking.again(),
      edit: () => taking.edit(),
      admin: (method, path) => taking.admin(method, path),
      effects: () => sink.seen.size,
    };
    for (const [index, fault] of plan.strikes.entries()) {
      const reached = Math.floor((plan.messages * (index + 1)) / (plan.strikes.length + 1));
      // What comes late is struck all the same.
      await eventually(
        'messages',
        () => sink.seen.size >= reached || (sink.seen.size > 0 && silence.recovered && silence.ms > lateMs),
        giveUpMs,
      ).catch(() => {});
      await fault.strike(scene);
      silence.struck();
    }
    const { accepted, repeated } = await fed;
    const arrived = (): number => accepted.filter((id) => sink.seen.has(id)).length;
    await eventually('all effects', () => arrived() === accepted.length || silence.ms > giveUpMs, 5 * giveUpMs);
    // What comes again comes soon.
    await eventually('quiet', () => silence.ms > 1000, giveUpMs);
    const crashes = plan.strikes.filter((fault) => fault.orderly !== true).length;
    return {
      accepted: accepted.length,
      lost: accepted.length - arrived(),
      duplicates: sink.duplicates,
      bound: crashes * (waiting.to ? prefetch : concurrency) + repeated,
      slowestRecovery: Math.round(silence.slowestRecovery),
      ms: Math.round(performance.now() - since),
    };
  } catch (error) {
    const titles = plan.strikes.map(({ title }) => title).join(', ');
    throw new Error(taking.process.describe(`${subject.name}, ${titles}`), { cause: error });
  } finally {
    await taking[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Hands over until somebody takes responsibility. `repeated`: asked again although it may have been taken. */
async function feed(
  run: string,
  messages: number,
  url: () => string,
): Promise<{ readonly accepted: readonly string[]; readonly repeated: number }> {
  const ids = Array.from({ length: messages }, (_, nth) => `${run}${nth}`);
  const accepted: string[] = [];
  let repeated = 0;
  let next = 0;
  const one = async (id: string): Promise<void> => {
    for (;;) {
      try {
        const response = await fetch(`${url()}/feed`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ id }),
          signal: AbortSignal.timeout(20_000),
        });
        const text = await response.text();
        if (response.ok) {
          accepted.push(id);
          return;
        }
        if (!/"outcome":"none"/.test(text)) repeated++;
      } catch (error) {
        // Refused is surely not taken.
        const { cause } = error as { readonly cause?: { readonly code?: string } };
        if (cause?.code !== 'ECONNREFUSED') repeated++;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const lane = async (): Promise<void> => {
    for (let id = ids[next++]; id !== undefined; id = ids[next++]) await one(id);
  };
  await Promise.all(Array.from({ length: 20 }, lane));
  return { accepted, repeated };
}

function feederFile(folder: string, { endpoint, send }: NonNullable<Waiting['to']>): string {
  const file = join(folder, 'feeder.yaml');
  const yaml = `
dowel: 1
name: feeder
config: { PORT: { type: integer, default: 0 } }
server: { port: "\${PORT}", host: 127.0.0.1 }
admin: { port: 0 }
endpoints:
  waiting:
    ${endpoint}
    timeout: 10s
flows:
  feed:
    from: { http: { method: POST, path: /feed } }
    steps:
      - send: { endpoint: waiting, ${send} }
`;
  writeFileSync(file, yaml);
  return file;
}

/** Of the integration that faults happen to. */
const env = { TOKEN: 'nobody-guesses-this' } as const;

/** The integration that faults happen to. */
class Taking implements AsyncDisposable {
  process: DowelProcess;
  readonly #file: string;
  readonly #yaml: (version: number) => string;
  readonly #command: 'run' | 'dev';
  readonly #port: number;
  #version = 1;

  private constructor(
    process: DowelProcess,
    file: string,
    yaml: (version: number) => string,
    command: 'run' | 'dev',
    port: number,
  ) {
    this.process = process;
    this.#file = file;
    this.#yaml = yaml;
    this.#command = command;
    this.#port = port;
  }

  static async start(folder: string, waiting: Waiting, sink: string, dev: boolean): Promise<Taking> {
    const file = join(folder, 'taker.yaml');
    const port = await freePort();
    const yaml = (version: number): string => `
dowel: 1
name: taker
version: "${version}"
server: { port: ${port}, host: 127.0.0.1 }
config: { TOKEN: { secret: true } }
admin: { port: 0, token: "\${TOKEN}" }
endpoints:
  sink:
    http: { url: "${sink}" }
    timeout: 10s
flows:
  take:
    from:
      ${waiting.from}
    concurrency: ${concurrency}
    ${waiting.again ?? 'redelivery: { maxAttempts: 100, delay: 50ms, maxDelay: 500ms }'}
    steps:
      - send: { endpoint: sink, body: { id: "\${{ id }}", version: "${version}" } }
`;
    writeFileSync(file, yaml(1));
    const command = dev ? 'dev' : 'run';
    return new Taking(await startDowel(file, { command, env, within: startMs }), file, yaml, command, port);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async again(): Promise<void> {
    this.process = await startDowel(this.#file, { command: this.#command, env, within: startMs });
  }

  async admin(method: string, path: string): Promise<Readonly<Record<string, unknown>>> {
    const answer = await fetch(`http://127.0.0.1:${this.process.adminPort}${path}`, {
      method,
      headers: { authorization: `Bearer ${env.TOKEN}` },
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(this.process.describe(`${method} ${path}: ${answer.status} ${text}`));
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  }

  async edit(): Promise<void> {
    const version = ++this.#version;
    // At once, as editors do.
    writeFileSync(`${this.#file}.new`, this.#yaml(version));
    renameSync(`${this.#file}.new`, this.#file);
    const reloads = (): number => this.process.stderr.split(/ reloaded {2}/).length - 1;
    await this.process.until('the reload', () => reloads() >= version - 1, startMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
  }
}
