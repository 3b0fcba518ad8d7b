/**
 * What a member of a group has in this process: after a reload two sources are one member for a while, and the new one
 * must not take what the old one works on.
 */
export class Member {
  readonly #ids = new Set<string>();
  readonly #listeners = new Set<() => void>();

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  add(id: string): void {
    this.#ids.add(id);
  }

  delete(id: string): void {
    this.#ids.delete(id);
  }

  /** Something was given back, and is there for whoever comes. */
  gaveBack(): void {
    for (const run of this.#listeners) run();
  }

  onGivenBack(run: () => void): () => void {
    this.#listeners.add(run);
    return () => this.#listeners.delete(run);
  }

  async close(): Promise<void> {}
}
