const last = 65_535;

/** Ids of messages on their way to the broker; one that is in use is not given out again, as the library's own would be. */
export class PacketIds {
  readonly #used = new Set<number>();
  #latest = 0;

  allocate(): number | null {
    if (this.#used.size >= last) return null;
    do this.#latest = this.#latest === last ? 1 : this.#latest + 1;
    while (this.#used.has(this.#latest));
    this.#used.add(this.#latest);
    return this.#latest;
  }

  getLastAllocated(): number | null {
    return this.#latest === 0 ? null : this.#latest;
  }

  register(id: number): boolean {
    if (this.#used.has(id)) return false;
    this.#used.add(id);
    return true;
  }

  deallocate(id: number): void {
    this.#used.delete(id);
  }

  clear(): void {
    this.#used.clear();
  }
}
