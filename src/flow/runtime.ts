import type { Services } from '../core/exchange.ts';
import { joinRecord } from '../core/record.ts';
import type { IntegrationSource } from '../core/written.ts';
import { detailOf, failure } from '../errors.ts';
import type { Connector } from '../sdk.ts';
import type { Store } from '../store/store.ts';
import type { DeadLetterKeeper } from './dead-letter.ts';
import { Generation, type Kept } from './generation.ts';
import { Ownership } from './ownership.ts';
import type { Program } from './program.ts';
import { Runs } from './runs.ts';
import { SharedResources } from './shared.ts';

export interface RuntimeServices extends Omit<Services, 'background' | 'config'> {
  /** Opens the store that a program names: asked for when a flow of it is durable. Absent: there is none. */
  readonly openStore?: (source: IntegrationSource) => Promise<Store>;
}

/** How often a process looks for messages that others left behind. */
const resumeMs = 10_000;

/** The running integration: opens a program, swaps it for a newer one, drains and stops. */
export class Runtime {
  readonly #services: RuntimeServices;
  readonly #connectors: Readonly<Record<string, Connector>>;
  readonly #shared = new SharedResources();
  #current: Generation | undefined;
  /** Versions that were replaced, until their last message has ended. */
  readonly #leaving = new Map<Generation, Promise<unknown>>();
  #stopping = false;
  #kept: Promise<Kept> | undefined;
  #cancelResuming: () => void = () => {};

  constructor(services: RuntimeServices, connectors: Readonly<Record<string, Connector>>) {
    this.#services = services;
    this.#connectors = connectors;
  }

  /** Takes messages, is not about to stop, and its sources and endpoints are connected. */
  get ready(): boolean {
    return !this.#stopping && this.#current?.ready === true;
  }

  get inFlight(): number {
    return [this.#current, ...this.#leaving.keys()].reduce((sum, one) => sum + (one?.inFlight ?? 0), 0);
  }

  async start(program: Program): Promise<void> {
    this.#current = await this.#open(program);
  }

  /**
   * Opens the new program beside the old one and swaps: resolves when new messages go to it. If it cannot be opened the
   * old one goes on as if nothing had happened. Messages under way finish on the old one, within `drainMs`.
   */
  async swap(program: Program, drainMs: number): Promise<void> {
    const generation = await this.#open(program);
    // Not the one of before the opening: another one may have come in between.
    const old = this.#current;
    this.#current = generation;
    if (!old) return;
    await old.stopSources();
    const left = this.#leave(old, drainMs).catch((thrown: unknown) => {
      const detail = detailOf(thrown);
      this.#services.log.error('the version before did not close properly', { detail });
    });
    this.#leaving.set(old, left);
    void left.then(() => this.#leaving.delete(old));
  }

  /** Stops intake, finishes what is under way within `drainMs`, gives up the rest: resolves with the number of those. */
  async stop(drainMs: number): Promise<number> {
    this.#stopping = true;
    const leaving = [...this.#leaving];
    const current = this.#current;
    await current?.stopSources();
    const [lost = 0, ...before] = await Promise.all([
      current?.drain(drainMs),
      ...leaving.map(([generation]) => generation.drain(drainMs)),
    ]);
    await Promise.all(leaving.map(([, left]) => left));
    await current?.close();
    this.#current = undefined;
    await this.#closeStore();
    return before.reduce((sum: number, one) => sum + (one ?? 0), lost);
  }

  async #leave(generation: Generation, drainMs: number): Promise<void> {
    await generation.drain(drainMs);
    await generation.close();
  }

  async #open(program: Program): Promise<Generation> {
    const generation = new Generation(program, this.#services, this.#connectors, this.#shared, () =>
      this.#keep(program),
    );
    await generation.open();
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
    return { store, ownership, runs, queues, letters: lettersIn(store) };
  }

  /** Other processes on the same store may fall silent at any time. */
  #resumeLater(): void {
    const resume = async (): Promise<void> => {
      try {
        await this.#current?.resume();
        await (await this.#kept)?.queues.takeOver();
      } catch (thrown) {
        const detail = detailOf(thrown);
        this.#services.log.warn('messages of other processes could not be looked for', { detail });
      }
      this.#resumeLater();
    };
    this.#cancelResuming = this.#services.clock.after(resumeMs, () => void resume(), true);
  }

  async #closeStore(): Promise<void> {
    this.#cancelResuming();
    const kept = await this.#kept?.catch(() => undefined);
    await kept?.queues.close();
    await kept?.ownership.close();
    await kept?.store.close();
  }
}

/** Dead letters under their ids. */
const lettersIn = (store: Store): DeadLetterKeeper => ({
  async keep(letter, body) {
    const value = joinRecord(letter, body);
    await store.write([{ op: 'put', space: 'dead-letters', key: `${letter.type} ${letter.id}`, value }]);
  },
});
