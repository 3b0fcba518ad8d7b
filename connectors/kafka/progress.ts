interface Step {
  readonly offset: bigint;
  done: boolean;
}

/**
 * How far a partition has come: records are begun in order and end in any. What may be committed is the first one that
 * is not done, however many behind it are.
 */
export class Progress {
  readonly #open: Step[] = [];
  readonly #byOffset = new Map<bigint, Step>();
  /** Where the open list begins: shifting it at every record would cost more than the record. */
  #first = 0;
  #next: bigint;

  constructor(start: bigint) {
    this.#next = start;
  }

  /** How many were begun and are not done. */
  get unfinished(): number {
    return this.#byOffset.size;
  }

  /** The lowest offset that is not done: everything before it is. */
  get committable(): bigint {
    return this.#open[this.#first]?.offset ?? this.#next;
  }

  begin(offset: bigint): void {
    const step: Step = { offset, done: false };
    this.#open.push(step);
    this.#byOffset.set(offset, step);
    this.#next = offset + 1n;
  }

  /** What stands before `offset` and was never begun is nothing to wait for: markers, gaps. */
  skipTo(offset: bigint): void {
    if (offset > this.#next) this.#next = offset;
  }

  /** The log goes on somewhere else. What is under way ends as it will, and is counted when it does. */
  restart(offset: bigint): void {
    this.#next = offset;
  }

  done(offset: bigint): void {
    const step = this.#byOffset.get(offset);
    if (!step) return;
    step.done = true;
    this.#byOffset.delete(offset);
    while (this.#open[this.#first]?.done) this.#first++;
    if (this.#first < 256 || this.#first * 2 < this.#open.length) return;
    this.#open.splice(0, this.#first);
    this.#first = 0;
  }
}
