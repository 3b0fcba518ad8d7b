import type { Services } from '../core/exchange.ts';
import type { Meter } from '../core/meter.ts';
import { redactor } from '../core/redactor.ts';
import type { IntegrationSource } from '../core/written.ts';
import { customFailure, detailOf, failure } from '../errors.ts';
import type { CircuitBreaker } from '../resilience/circuit-breaker.ts';
import type { Connector } from '../sdk.ts';
import type { Store } from '../store/store.ts';
import type { DeadLetters } from './dead-letters/dead-letters.ts';
import type { Definition } from './dead-letters/definition.ts';
import type { DeadLetterDesk } from './dead-letters/desk.ts';
import type { Desk } from './dead-letters/open-desk.ts';
import { Generation, type Opening } from './generation.ts';
import { isInTheWay } from './in-the-way.ts';
import type { Kept } from './kept.ts';
import { Ownership } from './ownership.ts';
import type { Program } from './program.ts';
import { Runs } from './runs.ts';
import { SharedResources } from './shared.ts';
import type { SourceSlot } from './source-slot.ts';
import type { Status } from './status.ts';

export interface RuntimeServices extends Omit<Services, 'background' | 'config' | 'meter'> {
  /** Absent: nobody looks at what is counted. */
  readonly meter?: Meter;
  /** Opens the store that a program names: asked for when a flow of it is durable. Absent: there is none. */
  readonly openStore?: (source: IntegrationSource) => Promise<Store>;
  /** Compiles a definition of before in the place of `now`, with today's configuration; says why it cannot. Absent: nobody can. */
  readonly compileKept?: (definition: Definition, now: IntegrationSource) => Promise<Program | string>;
  /** Every connector there is: definitions of before may use others. Absent: they use those that the runtime was given. */
  readonly allConnectors?: () => Promise<Readonly<Record<string, Connector>>>;
}

/** The source of a flow, for whoever operates it. */
export interface RunningSource extends Pick<SourceSlot, 'trigger'> {
  readonly paused: boolean;
  /** It takes nothing new, over reloads too, until it is resumed or the process ends; what is under way finishes. */
  pause(): Promise<void>;
  /** Rejects with `startup` when it cannot be opened: then it is paused on. */
  resume(): Promise<void>;
}

/** How long what is left of a replay may take when all else has stopped. */
const deskMs = 5_000;

/** How often a process looks for messages that others left behind. */
const resumeMs = 10_000;

/** The running integration: opens a program, swaps it for a newer one, drains and stops. */
export class Runtime {
  readonly #services: RuntimeServices;
  #connectors: Readonly<Record<string, Connector>>;
  readonly #shared = new SharedResources();
  #current: Generation | undefined;
  /** Versions that were replaced, until their last message has ended. */
  readonly #leaving = new Map<Generation, Promise<unknown>>();
  /** What dead letters are replayed with. */
  #program: Program | undefined;
  #desk: Promise<Desk> | undefined;
  #stopping = false;
  #kept: Promise<Kept> | undefined;
  #cancelResuming: () => void = () => {};
  /** Flows whose sources a person has paused. */
  readonly #paused = new Set<string>();
  /** Whoever changes which sources are open does it after the one before. */
  #changing: Promise<unknown> = Promise.resolve();
  #started = false;

  constructor(services: RuntimeServices, connectors: Readonly<Record<string, Connector>>) {
    this.#services = services;
    this.#connectors = connectors;
  }

  /** Takes messages, is not about to stop, and its sources and endpoints are connected. */
  get ready(): boolean {
    return !this.#stopping && this.#current?.ready === true;
  }

  /** It was open once. */
  get started(): boolean {
    return this.#started;
  }

  get inFlight(): number {
    return [this.#current, ...this.#leaving.keys()].reduce((sum, one) => sum + (one?.inFlight.size ?? 0), 0);
  }

  /** Whether no message is under way, and no work beside them, such as wire taps. */
  get idle(): boolean {
    return [this.#current, ...this.#leaving.keys()].every((one) => one?.inFlight.isEmpty !== false);
  }

  /** Its name, once it is open. */
  get integration(): string | undefined {
    return this.#program?.source.name;
  }

  /** As the file of the version that runs has it, once it is open. */
  get source(): IntegrationSource | undefined {
    return this.#current?.program.source;
  }

  /** `undefined` before it is open. */
  status(): Status | undefined {
    const current = this.#current;
    if (!current) return undefined;
    const { name, version, file, config, secretNames, secrets } = current.program.source;
    const hidden = Object.fromEntries(secretNames.map((secret) => [secret, '(secret)']));
    return {
      integration: name,
      version,
      file,
      ready: this.ready,
      stopping: this.#stopping,
      inFlight: this.inFlight,
      versionsLeaving: this.#leaving.size,
      config: redactor(() => secrets)({ ...config, ...hidden }),
      ...current.status(),
    };
  }

  /** Of an endpoint that has one, in the version that runs. */
  breakerOf(endpoint: string): CircuitBreaker | undefined {
    return this.#current?.breakerOf(endpoint);
  }

  /** Of a flow that has one, in the version that runs. */
  sourceOf(flow: string): RunningSource | undefined {
    const source = this.#current?.sourceOf(flow);
    if (!source) return undefined;
    return {
      get paused() {
        return source.paused;
      },
      pause: () => this.#pause(flow),
      resume: () => this.#unpause(flow),
      trigger: source.trigger,
    };
  }

  async start(program: Program): Promise<void> {
    this.#current = await this.#open(program);
    this.#program = program;
    this.#started = true;
  }

  /** Opens nothing before it is needed, and no source that takes messages from outside: for dead letters alone. */
  standBy(program: Program): void {
    this.#program = program;
  }

  /** Where a person handles dead letters. Opens the store where nothing has done so yet. */
  async deadLetters(): Promise<DeadLetterDesk> {
    const program = this.#program;
    if (this.#stopping) throw failure('stopping');
    if (!program) throw customFailure('starting', 'rejected', 503, 'The integration is not open yet');
    this.#desk ??= this.#openDesk(program).catch((thrown: unknown) => {
      this.#desk = undefined;
      throw thrown;
    });
    return (await this.#desk).replays;
  }

  /**
   * Opens the new program beside the old one and swaps: resolves when new messages go to it. If it cannot be opened the
   * old one goes on as if nothing had happened. Messages under way finish on the old one, within `drainMs`.
   */
  swap(program: Program, drainMs: number): Promise<void> {
    return this.#inTurn(() => this.#swap(program, drainMs));
  }

  async #swap(program: Program, drainMs: number): Promise<void> {
    const generation = await this.#openBeside(program, drainMs);
    // Not the one of before the opening: another one may have come in between.
    const old = this.#current;
    this.#current = generation;
    this.#program = program;
    for (const flow of [...this.#paused]) if (!generation.sourceOf(flow)) this.#paused.delete(flow);
    if (old) await this.#retire(old, drainMs);
  }

  /** Beside the version that runs; where that holds the port at another address, it lets go of it first. */
  async #openBeside(program: Program, drainMs: number): Promise<Generation> {
    const old = this.#current;
    try {
      return await this.#open(program);
    } catch (thrown) {
      if (!old || !isInTheWay(old.program, program, thrown)) throw thrown;
    }
    await old.stopSources();
    try {
      return await this.#open(program);
    } catch (thrown) {
      // Its sources do not open twice, and what they share must be gone: it goes on as a version of its own.
      await this.#leave(old, drainMs);
      this.#current = await this.#open(old.program);
      throw thrown;
    }
  }

  async #retire(old: Generation, drainMs: number): Promise<void> {
    await old.stopSources();
    const left = this.#leave(old, drainMs).catch((thrown: unknown) => {
      const detail = detailOf(thrown);
      this.#services.log.error('the version before did not close properly', { detail });
    });
    this.#leaving.set(old, left);
    void left.then(() => {
      this.#leaving.delete(old);
      // What the old one had in the journal and did not finish.
      if (!this.#stopping) return this.#resume();
    });
  }

  /** Stops intake, finishes what is under way within `drainMs`, gives up the rest: resolves with the number of those. */
  async stop(drainMs: number): Promise<number> {
    this.#stopping = true;
    const leaving = [...this.#leaving];
    const current = this.#current;
    await current?.stopSources();
    const desk = await this.#desk?.catch(() => undefined);
    const [lost = 0, ...before] = await Promise.all([
      current?.drain(drainMs),
      desk?.routes.close(drainMs),
      ...leaving.map(([generation]) => generation.drain(drainMs)),
    ]);
    await desk?.replays.settled(deskMs);
    await Promise.all(leaving.map(([, left]) => left));
    await current?.close();
    this.#current = undefined;
    await this.#closeStore();
    return before.reduce((sum: number, one) => sum + (one ?? 0), lost);
  }

  #pause(flow: string): Promise<void> {
    return this.#inTurn(async () => {
      const source = this.#current?.sourceOf(flow);
      source?.pause();
      if (source) this.#paused.add(flow);
    });
  }

  #unpause(flow: string): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#stopping) throw failure('stopping');
      await this.#current?.sourceOf(flow)?.resume();
      this.#paused.delete(flow);
      // Messages that are ours alone, and were to be tried again when it was paused.
      await this.#resume();
    });
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#changing.then(work);
    this.#changing = turn.catch(() => {});
    await turn;
  }

  async #leave(generation: Generation, drainMs: number): Promise<void> {
    await generation.drain(drainMs);
    await generation.close();
  }

  async #openDesk(program: Program): Promise<Desk> {
    const { openDesk } = await import('./dead-letters/open-desk.ts');
    const { store, letters } = await this.#keep(program);
    this.#connectors = (await this.#services.allConnectors?.()) ?? this.#connectors;
    return openDesk({
      store,
      letters: await letters(),
      services: this.#services,
      connectors: this.#connectors,
      running: () => this.#current,
      current: () => this.#program ?? program,
      open: (one, opening) => this.#open(one, opening),
      compile: this.#services.compileKept,
    });
  }

  async #open(program: Program, opening: Opening = 'all'): Promise<Generation> {
    const generation = new Generation(program, this.#services, this.#connectors, this.#shared, () =>
      this.#keep(program),
    );
    await generation.open(opening, opening === 'all' ? this.#paused : new Set());
    if (!this.#stopping) return generation;
    // Told to stop meanwhile: nobody would ever close it.
    await generation.stopSources();
    await this.#leave(generation, 0);
    throw failure('stopping');
  }

  /** The store, opened once; a reload that names another one takes effect at the next start. */
  #keep(program: Program): Promise<Kept> {
    this.#kept ??= this.#openStore(program).catch((thrown: unknown) => {
      this.#kept = undefined;
      throw thrown;
    });
    return this.#kept;
  }

  async #openStore(program: Program): Promise<Kept> {
    const { openStore } = this.#services;
    if (!openStore) throw failure('startup', { what: 'The store', detail: 'there is none here' });
    const store = await openStore(program.source);
    const ownership = new Ownership(store, this.#services);
    await ownership.open();
    const runs = new Runs(store, ownership, this.#services);
    const { Queues } = await import('./durable-queue/queues.ts');
    const queues = new Queues({ store, ownership, services: this.#services });
    if (store.shared) this.#resumeLater();
    const letters = async (): Promise<DeadLetters> => {
      const { DeadLetters } = await import('./dead-letters/dead-letters.ts');
      return new DeadLetters(store, this.#services.random);
    };
    return { store, ownership, runs, queues, letters, underWay: new Set() };
  }

  /** Other processes on the same store may fall silent at any time. */
  #resumeLater(): void {
    const again = async (): Promise<void> => {
      await this.#resume();
      this.#resumeLater();
    };
    this.#cancelResuming = this.#services.clock.after(resumeMs, () => void again(), true);
  }

  async #resume(): Promise<void> {
    try {
      await this.#current?.resume();
      await (await this.#kept)?.queues.takeOver();
    } catch (thrown) {
      const detail = detailOf(thrown);
      this.#services.log.warn('messages that were left behind could not be looked for', { detail });
    }
  }

  async #closeStore(): Promise<void> {
    this.#cancelResuming();
    const kept = await this.#kept?.catch(() => undefined);
    await kept?.queues.close();
    await kept?.ownership.close();
    await kept?.store.close();
  }
}
