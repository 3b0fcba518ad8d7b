import type { Services } from '../core/exchange.ts';
import type { Connector } from '../sdk.ts';
import { Generation } from './generation.ts';
import type { Program } from './program.ts';
import { SharedResources } from './shared.ts';

export type RuntimeServices = Omit<Services, 'background' | 'config'>;

/** The running integration: opens a program, swaps it for a newer one, drains and stops. */
export class Runtime {
  readonly #services: RuntimeServices;
  readonly #connectors: Readonly<Record<string, Connector>>;
  readonly #shared = new SharedResources();
  #current: Generation | undefined;
  #stopping = false;

  constructor(services: RuntimeServices, connectors: Readonly<Record<string, Connector>>) {
    this.#services = services;
    this.#connectors = connectors;
  }

  /** Takes messages, and is not about to stop. */
  get ready(): boolean {
    return this.#current !== undefined && !this.#stopping;
  }

  get inFlight(): number {
    return this.#current?.inFlight ?? 0;
  }

  async start(program: Program): Promise<void> {
    const generation = this.#generation(program);
    await generation.open();
    this.#current = generation;
  }

  /**
   * Opens the new program beside the old one and swaps. If it cannot be opened the old one goes on as if nothing had
   * happened. Messages under way finish on the old one, within `drainMs`.
   */
  async swap(program: Program, drainMs: number): Promise<void> {
    const old = this.#current;
    const generation = this.#generation(program);
    await generation.open();
    this.#current = generation;
    if (!old) return;
    await old.stopSources();
    await old.drain(drainMs);
    await old.close();
  }

  /** Stops intake, finishes what is under way within `drainMs`, gives up the rest: resolves with the number of those. */
  async stop(drainMs: number): Promise<number> {
    this.#stopping = true;
    const generation = this.#current;
    if (!generation) return 0;
    await generation.stopSources();
    const lost = await generation.drain(drainMs);
    await generation.close();
    this.#current = undefined;
    return lost;
  }

  #generation(program: Program): Generation {
    return new Generation(program, this.#services, this.#connectors, this.#shared);
  }
}
