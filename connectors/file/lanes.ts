/** Work that goes on side by side, at most `count` at a time. */
export class Lanes {
  readonly #count: number;
  readonly #running = new Set<Promise<void>>();

  constructor(count: number) {
    this.#count = count;
  }

  /** Resolves when there is room for one more. */
  async free(): Promise<void> {
    while (this.#running.size >= this.#count) await Promise.race(this.#running);
  }

  run(work: () => Promise<void>): void {
    const running = work().finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }
}
