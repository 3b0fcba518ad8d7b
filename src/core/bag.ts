/** What lies in a {@link Bag} knows its place there; −1: in none. */
export interface Member {
  place: number;
}

/**
 * A collection without an order whose members know their place in it: adding one and taking it away are a few
 * instructions, where a Set hashes. For what every message passes through. A member is in one bag at a time.
 */
export class Bag<T extends Member> implements Iterable<T> {
  readonly #all: T[] = [];

  get size(): number {
    return this.#all.length;
  }

  add(one: T): void {
    one.place = this.#all.length;
    this.#all.push(one);
  }

  /** Nothing happens where it is not in this bag. */
  delete(one: T): void {
    const at = one.place;
    if (this.#all[at] !== one) return;
    const last = this.#all.pop() as T;
    one.place = -1;
    if (last === one) return;
    this.#all[at] = last;
    last.place = at;
  }

  /** Those that are in it now: what is added or taken away meanwhile changes nothing. */
  [Symbol.iterator](): Iterator<T> {
    return this.#all.slice()[Symbol.iterator]();
  }
}
