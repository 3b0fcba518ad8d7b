/**
 * A running integration whose outside is in the test's hands: YAML in, calls and reply out. Two connectors, written
 * against the sdk as anybody's would be, stand for the world: `test` (its source awaits a reply, its endpoint answers)
 * and `oneway` (neither). Time stands still until the test moves it, chance is seeded.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import {
  Body,
  type Connector,
  type ConnectorDefinition,
  type Deliver,
  type Exchange,
  type Failure,
  failure,
  type Headers,
} from '#sdk';
import { connectors } from '../../connectors/index.ts';
import { type CallLogLevel, callLog } from '../../src/core/call-log.ts';
import { VirtualClock } from '../../src/core/clock.ts';
import { noHeaders } from '../../src/core/exchange.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Tracer } from '../../src/core/span.ts';
import { compile } from '../../src/flow/compile.ts';
import { textsOf } from '../../src/flow/dead-letters/definition.ts';
import type { Program } from '../../src/flow/program.ts';
import { Runtime, type RuntimeServices } from '../../src/flow/runtime.ts';
import { codec } from '../../src/format/codec.ts';
import type { Diagnostic } from '../../src/integration/diagnostic.ts';
import { loadIntegration } from '../../src/integration/load.ts';
import { compileJsonSchema } from '../../src/schema/validator.ts';
import { steps } from '../../src/steps/index.ts';
import { MemoryStore } from '../../src/store/memory.ts';
import type { Store } from '../../src/store/store.ts';
import { definitions } from './definitions.ts';
import { type RecordingLog, recordingLog } from './plain-context.ts';

/** What an endpoint was asked. */
export interface Call {
  readonly endpoint: string;
  readonly operation: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  readonly headers: Headers;
  readonly contentType: string | undefined;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Headers;
  readonly body?: unknown;
  /** Instead of `body`: JSON that comes bit by bit. */
  readonly stream?: Readable;
}

/** Throws for a call that fails; nothing = an empty answer. */
export type Far = (call: Call) => Answer | undefined | Promise<Answer | undefined>;

export interface Message {
  /** Name of the flow; default: the first one with a source. */
  readonly flow?: string;
  readonly body?: unknown;
  /** Instead of `body`: as a source would hand it over. */
  readonly raw?: Body;
  /** The body as it came over the wire, with its type; instead of `body`. */
  readonly bytes?: { readonly text: string; readonly contentType: string };
  readonly headers?: Headers;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly deadline?: number;
}

export interface Reply {
  /** `undefined`: the flow said nothing. */
  readonly status: number | undefined;
  readonly headers: Headers;
  readonly body: unknown;
  readonly exchange: Exchange | undefined;
}

/** What opening, stopping and closing the test's own sources (`main`) and endpoints (`a`) does: nothing by itself. */
export interface Outside {
  open?(name: string): Promise<void>;
  stop?(name: string): Promise<void>;
  close?(name: string): Promise<void>;
}

export interface EngineOptions {
  readonly far?: Far;
  readonly outside?: Outside;
  /** Referenced files, by path relative to the integration. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** What another process left. */
  readonly store?: Store;
  readonly seed?: number;
  /** More connectors, beside the real ones and the test's own. */
  readonly connectors?: (clock: VirtualClock) => Readonly<Record<string, Connector>>;
  /** Opens nothing: for dead letters alone. */
  readonly standBy?: boolean;
  /** How loud the lines of messages and calls are; none where nothing is said. */
  readonly calls?: CallLogLevel;
  /** Records what becomes of messages. */
  readonly tracer?: (clock: VirtualClock) => Tracer;
}

/** Loads, compiles and starts; the test's end stops it. Throws when the definition has errors. */
export async function startEngine(t: TestContext, yaml: string, options: EngineOptions = {}): Promise<Engine> {
  const engine = new Engine(options.far ?? (() => undefined), options.seed);
  if (options.store) engine.store = options.store;
  if (options.outside) engine.outside = options.outside;
  const folder = mkdtempSync(join(tmpdir(), 'dowel-engine-'));
  t.after(async () => {
    await engine.stop();
    rmSync(folder, { recursive: true });
  });
  await engine.start(folder, yaml, options);
  return engine;
}

export class Engine {
  readonly clock = new VirtualClock();
  readonly log: RecordingLog = recordingLog();
  readonly calls: Call[] = [];
  /** Warnings that the definition gave. */
  diagnostics: readonly Diagnostic[] = [];
  far: Far;
  /** Each engine is another process: ids differ. */
  readonly seed: number;
  runtime: Runtime | undefined;
  /** What outlives the process: give it to another engine to start again after a crash. */
  store: Store = new MemoryStore(this.clock, this.log);
  outside: Outside = {};
  /** As it was started last. */
  #compile: ((given: ReadonlyMap<string, string>) => Promise<Program | string>) | undefined;
  #more: Readonly<Record<string, Connector>> | undefined;
  readonly #sources = new Map<string, { readonly deliver: Deliver; readonly whole: boolean }>();

  constructor(far: Far, seed = 1) {
    this.far = far;
    this.seed = seed;
  }

  async start(folder: string, yaml: string, options: EngineOptions): Promise<void> {
    const file = join(folder, 'integration.yaml');
    writeFileSync(file, yaml);
    for (const [path, text] of Object.entries(options.files ?? {})) writeFileSync(join(dirname(file), path), text);
    this.#more ??= options.connectors?.(this.clock) ?? {};
    const all = { ...this.#connectors(), ...this.#more };
    const compiled = (given?: ReadonlyMap<string, string>) => this.#compiled(file, all, options, given);
    const program = await compiled();
    if (typeof program === 'string') throw new Error(program);
    const openStore = async (): Promise<Store> => this.store;
    this.#compile = compiled;
    const compileKept: RuntimeServices['compileKept'] = async (definition, now) =>
      this.#compile?.(textsOf(definition, now.file)) ?? 'not started';
    const { clock, log } = this;
    const lines = callLog(log, options.calls ?? 'off');
    const watching = { ...(lines && { callLog: lines }), ...(options.tracer && { tracer: options.tracer(clock) }) };
    const services = { clock, random: seededRandom(this.seed), codec, log, openStore, compileKept, ...watching };
    this.runtime ??= new Runtime(services, all);
    if (options.standBy) this.runtime.standBy(program);
    else await (this.runtime.ready ? this.runtime.swap(program, 1000) : this.runtime.start(program));
  }

  /** The program, or everything that is wrong. */
  async #compiled(
    file: string,
    all: Readonly<Record<string, Connector>>,
    options: EngineOptions,
    given: ReadonlyMap<string, string> | undefined,
  ): Promise<Program | string> {
    const known = Object.fromEntries(Object.entries(all).map(([name, one]) => [name, one.definition]));
    const environment = { env: options.env ?? {}, config: 'required' } as const;
    const loaded = await loadIntegration(file, { steps, connectors: known }, environment, given);
    const found = [...loaded.diagnostics];
    const report = (finding: Parameters<typeof loaded.locate>[0]): void => void found.push(loaded.locate(finding));
    const program =
      loaded.source &&
      compile(loaded.source, {
        steps,
        connectors: known,
        jsonSchema: compileJsonSchema,
        report,
        traced: options.tracer !== undefined,
      });
    this.diagnostics = found;
    if (program && found.every((one) => one.severity !== 'error')) return program;
    return found.map((one) => `${one.line}:${one.column} ${one.code}: ${one.message}`).join('\n');
  }

  async stop(): Promise<number> {
    const stopped = this.runtime?.stop(0);
    // What was given up has a moment to undo what it did.
    await this.clock.advance(10_000);
    return (await stopped) ?? 0;
  }

  /** Whether the flow asked for whole bodies: else it relays streams. */
  needsWholeBody(flow: string): boolean {
    return this.#source(flow).whole;
  }

  /** Hands a message to a flow and awaits what becomes of it; rejects with the Failure that nobody caught. */
  async send(message: Message = {}): Promise<Reply> {
    const exchange = await this.deliver(message);
    return {
      status: exchange?.reply?.status,
      headers: exchange?.reply?.headers ?? exchange?.ownHeaders ?? noHeaders,
      body: await exchange?.value(),
      exchange,
    };
  }

  /** As {@link send}; what the flow answers is not read. */
  async deliver(message: Message = {}): Promise<Exchange | undefined> {
    const { deliver } = this.#source(message.flow);
    return deliver({
      body:
        message.raw ??
        (message.bytes ? Body.bytes(message.bytes.text, message.bytes.contentType) : Body.value(message.body)),
      headers: message.headers ?? noHeaders,
      deadline: message.deadline,
      origin: {
        ...(message.params ? { params: message.params } : {}),
        ...(message.query ? { query: message.query } : {}),
        receivedAt: this.clock.now(),
        attempt: 1,
      },
    });
  }

  /** The calls so far, by endpoint and path: `payments charges/1`. */
  get called(): readonly string[] {
    return this.calls.map((one) => `${one.endpoint} ${one.operation['path'] ?? ''}`.trim());
  }

  #source(flow: string | undefined): { readonly deliver: Deliver; readonly whole: boolean } {
    const source = flow === undefined ? this.#sources.values().next().value : this.#sources.get(flow);
    if (!source) throw new Error(`no open source for the flow ${flow}; open: ${[...this.#sources.keys()]}`);
    return source;
  }

  #connectors(): Readonly<Record<string, Connector>> {
    const openSource: Awaited<ReturnType<NonNullable<Connector['source']>>>['openSource'] = async (_, context) => {
      await this.outside.open?.(context.name);
      const mine = { deliver: context.deliver, whole: context.needsWholeBody };
      this.#sources.set(context.name, mine);
      return {
        stop: async () => this.outside.stop?.(context.name),
        close: async () => {
          if (this.#sources.get(context.name) === mine) this.#sources.delete(context.name);
          await this.outside.close?.(context.name);
        },
      };
    };
    const openEndpoint: Awaited<ReturnType<NonNullable<Connector['endpoint']>>>['openEndpoint'] = async (
      _,
      context,
    ) => {
      await this.outside.open?.(context.name);
      return {
        handle: (exchange) => this.#handle(context.name, exchange),
        close: async () => this.outside.close?.(context.name),
      };
    };
    const connector = (definition: ConnectorDefinition): Connector => ({
      definition,
      source: async () => ({ openSource }),
      endpoint: async () => ({ openEndpoint }),
    });
    return { ...connectors, test: connector(definitions.test), oneway: connector(definitions.oneway) };
  }

  async #handle(endpoint: string, exchange: Exchange): Promise<Exchange> {
    const { life } = exchange;
    const made: Call = {
      endpoint,
      operation: (exchange.operation ?? {}) as Call['operation'],
      body: await exchange.value(),
      headers: exchange.ownHeaders,
      contentType: exchange.body.wireType(codec),
      signal: life.signal,
    };
    this.calls.push(made);
    const answer = await life.race(Promise.resolve().then(() => this.far(made)));
    const headers = answer?.headers ?? noHeaders;
    return exchange.with({
      body: answer?.stream ? streamed(answer.stream, endpoint) : Body.value(answer?.body),
      headers,
      ownHeaders: noHeaders,
      response: { status: answer?.status ?? 200, headers, endpoint },
    });
  }
}

const streamed = (stream: Readable, endpoint: string): Body => {
  const tooLarge = (limit: number): Failure => failure('response-too-large', { endpoint, limit });
  return Body.stream({ stream, limit: 1_000_000, tooLarge }, 'application/json', endpoint);
};

const indented = (text: string, by: number): string =>
  text
    .replace(/^\n+|\s+$/g, '')
    .split('\n')
    .map((line) => ' '.repeat(by) + line)
    .join('\n');

/** A store that several engines can share, with a clock that stands still. */
export const freshStore = (): MemoryStore => {
  const { clock, log } = new Engine(() => undefined);
  return new MemoryStore(clock, log);
};

/**
 * A file with one flow, `main`, of these steps (written from column 0), and three endpoints: `a` (with `policies` beside
 * its kind), `b` and `out`.
 */
export function mainFlow(
  stepList: string,
  more: { readonly flow?: string; readonly flows?: string; readonly policies?: string } = {},
): string {
  return [
    'dowel: 1',
    'name: tried',
    'endpoints:',
    `  a: { test: {}${more.policies ? `, ${more.policies}` : ''} }`,
    '  b: { test: {} }',
    '  out: { oneway: {} }',
    'flows:',
    '  main:',
    '    from: { test: {} }',
    ...(more.flow ? [indented(more.flow, 4)] : []),
    '    steps:',
    indented(stepList, 6),
    ...(more.flows ? [indented(more.flows, 2)] : []),
  ].join('\n');
}
