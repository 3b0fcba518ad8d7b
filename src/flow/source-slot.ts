import { type Clock, sleep } from '../core/clock.ts';
import type { Exchange, Log } from '../core/exchange.ts';
import { detailOf, failure } from '../errors.ts';
import type { Source, Trigger } from '../sdk.ts';

export interface SlotWorld {
  readonly flow: string;
  readonly clock: Clock;
  readonly log: Log;
  /** `paused`: it is opened, and takes nothing yet. */
  readonly open: (paused: boolean) => Promise<Source>;
  /** While it is paused the source stays open (see `ConnectorDefinition.staysOpen`). */
  readonly staysOpen: boolean;
  /** Turns away whoever sends and waits for an answer. */
  readonly hold: (held: boolean) => void;
  /** What waits in the flow for its turn goes back to the source; tells whether the rest has ended. */
  readonly giveBack: () => () => boolean;
}

/** How often it is looked whether the flow is through with what it had. Milliseconds. */
const lookMs = 50;

/**
 * The source of a flow, which a person may pause: then it takes nothing new, and what is under way finishes. For the far
 * side a source that does not stay open is gone: what waits there waits on, or goes to another process.
 */
export class SourceSlot implements Source {
  readonly #world: SlotWorld;
  readonly #closing = new AbortController();
  /** Paused, and closed when the flow is through with what they had given it. */
  readonly #leaving = new Set<Promise<void>>();
  #source: Source | undefined;
  #paused = false;
  #stopped = false;

  constructor(world: SlotWorld) {
    this.#world = world;
  }

  get ready(): boolean | undefined {
    return this.#source?.ready;
  }

  get trouble(): string | undefined {
    return this.#source?.trouble;
  }

  get queued(): number | undefined {
    return this.#source?.queued;
  }

  /** Whether it should be connected to its far side, and is not. */
  get disconnected(): boolean {
    return !this.#stopped && this.#source?.ready === false;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Whether it is paused, and would take messages else. */
  get holds(): boolean {
    return this.#paused && !this.#stopped;
  }

  async open(paused: boolean): Promise<void> {
    this.#paused = paused;
    if (paused) this.#world.hold(true);
    if (!paused || this.#world.staysOpen) this.#source = await this.#world.open(paused);
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    const source = this.#source;
    const { staysOpen, hold, giveBack } = this.#world;
    hold(true);
    if (staysOpen) source?.pause?.();
    else this.#source = undefined;
    const stopped = staysOpen ? undefined : source?.stop();
    // The source knows by now that what it gets back is not to come again.
    const isIdle = giveBack();
    if (source && stopped) this.#leave(source, stopped, isIdle);
  }

  /** Rejects with `startup` when the source cannot be opened: then it is paused on. */
  async resume(): Promise<void> {
    if (!this.#paused) return;
    const { staysOpen, hold, open } = this.#world;
    if (!staysOpen) {
      const source = await open(false);
      if (this.#stopped) {
        await source.stop();
        await source.close();
        throw failure('stopping');
      }
      this.#source = source;
    }
    this.#paused = false;
    hold(false);
    if (staysOpen) this.#source?.resume?.();
  }

  /** `undefined`: its source does not decide itself when the flow runs. */
  get trigger(): (() => Trigger<Exchange | undefined>) | undefined {
    return this.#source?.trigger?.bind(this.#source);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#source?.stop();
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('closing'));
    await Promise.all([this.#source?.close(), ...this.#leaving]);
  }

  #leave(source: Source, stopped: Promise<void>, isIdle: () => boolean): void {
    const left = this.#left(source, stopped, isIdle)
      .catch((thrown: unknown) => {
        const { flow, log } = this.#world;
        log.error('a source that was paused could not be closed', { flow, detail: detailOf(thrown) });
      })
      .finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }

  async #left(source: Source, stopped: Promise<void>, isIdle: () => boolean): Promise<void> {
    const { clock } = this.#world;
    const { signal } = this.#closing;
    try {
      await stopped;
      while (!signal.aborted && !isIdle()) await sleep(clock, lookMs, signal).catch(() => undefined);
    } finally {
      await source.close();
    }
  }
}
