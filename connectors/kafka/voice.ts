import type { Log } from '#sdk';

/** Says what is wrong once, again only when it is something else, and once when it is well again. */
export class Voice {
  readonly #log: Log;
  readonly #facts: Readonly<Record<string, unknown>>;
  readonly #heard: () => boolean;
  readonly #said = new Map<string, string>();

  /** `heard`: whether it matters at all; while the whole cluster is away, that is what is said. */
  constructor(log: Log, facts: Readonly<Record<string, unknown>>, heard: () => boolean) {
    this.#log = log;
    this.#facts = facts;
    this.#heard = heard;
  }

  trouble(what: string, detail: string): void {
    if (!this.#heard() || this.#said.get(what) === detail) return;
    this.#said.set(what, detail);
    this.#log.warn('something with Kafka does not work; it is tried again', { ...this.#facts, what, detail });
  }

  /** What was said, where it is not well since. */
  about(what: string): string | undefined {
    return this.#said.get(what);
  }

  well(what: string): void {
    if (!this.#said.delete(what)) return;
    this.#log.info('it works again', { ...this.#facts, what });
  }
}
