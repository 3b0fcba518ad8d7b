import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DowelProcess, startDowel } from '../support/dowel-process.ts';
import { freePort } from '../support/free-port.ts';
import { Callers } from './callers.ts';
import { Sink } from './sink.ts';

/** What is done to an integration that answers callers, while they call. */
export const callFaults = ['reload', 'replace'] as const;
export type CallFault = (typeof callFaults)[number];

export const titles: Readonly<Record<CallFault, string>> = {
  reload: 'definition edited under `dowel dev`',
  replace: 'runtime replaced: the old one is stopped (SIGTERM) 200 ms before callers go to the new one',
};

/** How often, in the full run. */
export const usualTimes: Readonly<Record<CallFault, number>> = { reload: 100, replace: 20 };

export interface CallsReport {
  readonly requests: number;
  /** What callers met instead of their answer. */
  readonly failures: readonly string[];
  /** Requests whose effect came more than once. */
  readonly repeated: number;
  /** From the signal to the end of the process, at most. */
  readonly slowestStop: number;
}

/** What an effect takes. */
const effectMs = 10;
const startMs = 120_000;
/** Who routes hears a little later that a process is about to stop. */
const lagMs = 200;

/** Callers keep calling while the integration is reloaded, or replaced as a platform does it. */
export async function runCalls(fault: CallFault, strikes: number): Promise<CallsReport> {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-calls-'));
  await using sink = await Sink.open(effectMs, '');
  await using answering = await Answering.start(folder, sink.url, fault === 'reload' ? 'dev' : 'run');
  await using callers = new Callers({
    url: () => answering.url,
    expect: () => {
      const { version } = answering;
      return (id, { status, text }) => {
        if (status !== 200) throw new Error(`${status} ${text}`);
        const answer = JSON.parse(text) as { readonly id: string; readonly version: number };
        if (answer.id !== id) throw new Error(`the answer to ${answer.id}`);
        if (answer.version < version) throw new Error(`version ${answer.version}, after ${version} was live`);
      };
    },
  });
  try {
    for (let strike = 0; strike < strikes; strike++) {
      await (fault === 'reload' ? answering.edit() : answering.replace());
    }
    await callers.end();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const { failures, requests } = callers;
  return { requests, failures, repeated: sink.duplicates, slowestStop: Math.round(answering.slowestStop) };
}

/** The integration that is called, in the process that takes its requests now. */
class Answering implements AsyncDisposable {
  readonly #folder: string;
  readonly #sink: string;
  #process: DowelProcess;
  #port: number;
  #version: number;
  #slowestStop = 0;

  private constructor(folder: string, sink: string, started: Started) {
    this.#folder = folder;
    this.#sink = sink;
    this.#process = started.process;
    this.#port = started.port;
    this.#version = 1;
  }

  static async start(folder: string, sink: string, command: 'run' | 'dev'): Promise<Answering> {
    return new Answering(folder, sink, await start(folder, sink, { version: 1, command }));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** That is surely live. */
  get version(): number {
    return this.#version;
  }

  get slowestStop(): number {
    return this.#slowestStop;
  }

  async edit(): Promise<void> {
    const version = this.#version + 1;
    const file = fileOf(this.#folder);
    // At once, as editors do.
    writeFileSync(`${file}.new`, definition(this.#port, this.#sink, version));
    renameSync(`${file}.new`, file);
    const reloads = (): number => this.#process.stderr.split(/ reloaded {2}/).length - 1;
    await this.#process.until('the reload', () => reloads() >= version - 1, startMs);
    this.#version = version;
  }

  /** As a rolling update: a new one is ready, the old one is told to stop, and a moment later callers go to the new one. */
  async replace(): Promise<void> {
    const old = this.#process;
    const version = this.#version + 1;
    const { process, port } = await start(this.#folder, this.#sink, { version, command: 'run' });
    const since = performance.now();
    old.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, lagMs));
    this.#process = process;
    this.#port = port;
    this.#version = version;
    const { code } = await old.ended;
    this.#slowestStop = Math.max(this.#slowestStop, performance.now() - since);
    if (code !== 0) throw new Error(old.describe(`it ended with ${code} instead of 0`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}

interface Started {
  readonly process: DowelProcess;
  readonly port: number;
}

async function start(
  folder: string,
  sink: string,
  { version, command }: { readonly version: number; readonly command: 'run' | 'dev' },
): Promise<Started> {
  const port = await freePort();
  const file = fileOf(folder);
  writeFileSync(file, definition(port, sink, version));
  return { process: await startDowel(file, { command, within: startMs }), port };
}

const fileOf = (folder: string): string => join(folder, 'answering.yaml');

const definition = (port: number, sink: string, version: number): string => `
dowel: 1
name: answering
version: "${version}"
server: { port: ${port}, host: 127.0.0.1 }
admin: { port: 0 }
endpoints:
  sink:
    http: { url: "${sink}" }
    timeout: 10s
flows:
  do:
    from: { http: { method: POST, path: /do } }
    steps:
      - call: { endpoint: sink, body: { id: "\${{ id }}" }, as: sunk }
      - respond: { status: 200, body: { id: "\${{ id }}", version: ${version} } }
`;
