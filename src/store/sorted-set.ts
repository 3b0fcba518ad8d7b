/**
 * Things in order, in pieces of bounded length: adding and removing cost a search and the shifting of one piece, however
 * many there are.
 */
export class SortedSet<T> {
  readonly #compare: (a: T, b: T) => number;
  #pieces: T[][] = [];

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get first(): T | undefined {
    return this.#pieces[0]?.[0];
  }

  add(item: T): void {
    const at = Math.min(this.#pieceOf(item), this.#pieces.length - 1);
    const piece = this.#pieces[at];
    if (!piece) {
      this.#pieces.push([item]);
      return;
    }
    const index = this.#lowerBound(piece, item);
    const there = piece[index];
    if (there !== undefined && this.#compare(there, item) === 0) return;
    piece.splice(index, 0, item);
    if (piece.length > pieceLength) this.#pieces.splice(at + 1, 0, piece.splice(pieceLength / 2));
  }

  delete(item: T): void {
    const at = this.#pieceOf(item);
    const piece = this.#pieces[at];
    if (!piece) return;
    const index = this.#lowerBound(piece, item);
    const there = piece[index];
    if (there === undefined || this.#compare(there, item) !== 0) return;
    piece.splice(index, 1);
    if (piece.length === 0) this.#pieces.splice(at, 1);
  }

  /** Everything from `item` on, whether it is there or not. Must not be changed meanwhile. */
  *from(item: T): Generator<T> {
    const start = this.#pieceOf(item);
    for (let at = start; at < this.#pieces.length; at++) {
      const piece = this.#pieces[at] ?? [];
      for (let index = at === start ? this.#lowerBound(piece, item) : 0; index < piece.length; index++) {
        const one = piece[index];
        if (one !== undefined) yield one;
      }
    }
  }

  /** The first piece whose last item is not before `item`; one behind all when there is none. */
  #pieceOf(item: T): number {
    let [low, high] = [0, this.#pieces.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const last = this.#pieces[middle]?.at(-1);
      if (last !== undefined && this.#compare(last, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #lowerBound(piece: readonly T[], item: T): number {
    let [low, high] = [0, piece.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const one = piece[middle];
      if (one !== undefined && this.#compare(one, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const pieceLength = 512;
