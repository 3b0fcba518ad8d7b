import type { Clock, Log } from '#sdk';

/** How long until the next line. */
const quietMs = 10_000;

/** Messages of QoS 0 that were lost here: each is counted, and a line now and then says how many. */
export class Drops {
  readonly #world: { readonly clock: Clock; readonly log: Log; readonly facts: Readonly<Record<string, unknown>> };
  #total = 0;
  #untold = 0;
  #why = '';
  #cancel: (() => void) | undefined;

  constructor(world: {
    readonly clock: Clock;
    readonly log: Log;
    readonly facts: Readonly<Record<string, unknown>>;
  }) {
    this.#world = world;
  }

  count(why: string): void {
    this.#total++;
    this.#untold++;
    this.#why = why;
    if (!this.#cancel) this.#tell();
  }

  /** Says what was not said yet. */
  close(): void {
    this.#cancel?.();
    if (this.#untold > 0) this.#log();
  }

  #tell(): void {
    if (this.#untold > 0) this.#log();
    this.#cancel = this.#world.clock.after(
      quietMs,
      () => {
        this.#cancel = undefined;
        if (this.#untold > 0) this.#tell();
      },
      true,
    );
  }

  #log(): void {
    const { log, facts } = this.#world;
    const counts = { messages: this.#untold, total: this.#total };
    log.warn('Messages of QoS 0 were dropped', { ...facts, ...counts, detail: this.#why });
    this.#untold = 0;
  }
}
