/** The variables that exist at one point of a flow. */
export class Names {
  #parent: Names | undefined;
  readonly #own = new Set<string>();

  constructor(names: Iterable<string> = [], parent?: Names) {
    for (const name of names) this.#own.add(name);
    this.#parent = parent;
  }

  has(name: string): boolean {
    return this.#own.has(name) || (this.#parent?.has(name) ?? false);
  }

  add(name: string): void {
    this.#own.add(name);
  }

  /** Only `names` are known from here on. */
  forgetAllBut(names: readonly string[]): void {
    const kept = names.filter((name) => this.has(name));
    this.#parent = undefined;
    this.#own.clear();
    for (const name of kept) this.#own.add(name);
  }

  all(): readonly string[] {
    return [...this.#own, ...(this.#parent?.all() ?? [])];
  }
}

/** `the-stock` as `theStock`, `$stock` as `stock`. */
export function variableName(name: string): string | undefined {
  const meant = name.replace(/^\W+/, '').replaceAll(/\W+(\w?)/g, (_, next: string) => next.toUpperCase());
  return /^[A-Za-z_]\w*$/.test(meant) ? meant : undefined;
}
