import type { BodyUse, Ending, LaterBody } from '../steps/step.ts';

/** One that took the place of the first, and what becomes of it. */
class Later implements LaterBody {
  /** How many loops and branches it was made in: those around it may use it more than once. */
  readonly depth: number;
  /** How many steps read it piece by piece. */
  #reads = 0;
  #kept = false;

  constructor(depth: number) {
    this.depth = depth;
  }

  get piecewise(): boolean {
    return this.#reads === 1 && !this.#kept;
  }

  read(): void {
    this.#reads++;
  }

  keep(): void {
    this.#kept = true;
  }
}

/**
 * Decides, once, while a flow is compiled, whether its first body can be relayed as a stream: no step looks at it, and
 * at most one passes it on. Bodies that come later (answers of calls) decide for themselves when they are read, unless one
 * step alone reads them piece by piece.
 */
export class FirstBody implements BodyUse {
  #looked = false;
  /** How often it was passed on, on the way to where the compiler is. */
  #taken = 0;
  /** How often on any way. */
  #most = 0;
  #replaced = false;
  #repeated = 0;
  #uses = 0;
  /** Which of the later ones the body may be here. */
  #later: ReadonlySet<Later> = new Set();

  get streams(): boolean {
    return !this.#looked && this.#most <= 1;
  }

  get uses(): number {
    return this.#uses;
  }

  look(): void {
    this.#uses++;
    if (!this.#replaced) this.#looked = true;
    keepAll(this.#later);
  }

  take(piecewise?: 'piecewise'): void {
    this.#uses++;
    for (const body of this.#later) {
      if (piecewise && body.depth === this.#repeated) body.read();
      else body.keep();
    }
    if (this.#replaced) return;
    this.#taken++;
    this.#most = Math.max(this.#most, this.#taken);
    // A loop's round or a branch may run several times or beside others.
    if (this.#repeated > 0) this.#looked = true;
  }

  replace(): Later {
    const body = new Later(this.#repeated);
    this.#later = new Set([body]);
    this.#replaced = true;
    return body;
  }

  /** Inside `compile`, whatever passes the body on may do so more than once; or nothing of it may run at all. */
  repeatedly<T>(compile: () => T): T {
    this.#repeated++;
    try {
      return this.apart(compile);
    } finally {
      this.#repeated--;
    }
  }

  /**
   * `instead` are steps that run when those of `main` failed: they see the body as it was before, whatever replaced it
   * since; if they need it, `main` must not have given its stream away. With `rejoins` the flow may go on behind them.
   */
  attempt<T, U extends Ending>(
    main: () => T,
    instead: (() => U) | undefined,
    rejoins: boolean,
  ): readonly [T, U | undefined] {
    const before = this.#replaced;
    const laterBefore = this.#later;
    const tried = main();
    if (!instead) return [tried, undefined];
    const replaced = this.#replaced;
    const later = this.#later;
    this.#replaced = before;
    this.#later = laterBefore;
    this.#repeated++;
    const other = instead();
    this.#repeated--;
    this.#later = rejoins && other?.ends !== true ? new Set([...later, ...this.#later]) : later;
    this.#replaced = replaced && (!rejoins || this.#replaced || other?.ends === true);
    return [tried, other];
  }

  /** A replacement inside belongs to the inside only. */
  apart<T>(compile: () => T): T {
    const before = this.#replaced;
    const later = this.#later;
    try {
      return compile();
    } finally {
      // Whoever stands around may read what it ends with, and so may the next round.
      keepAll([...this.#later].filter((body) => !later.has(body)));
      this.#replaced = before;
      this.#later = later;
    }
  }

  /** Of these, one runs: what they take does not add up, and the body is another one behind them only if it is so in all. */
  alternatives<T extends Ending>(compile: readonly (() => T)[]): readonly T[] {
    const taken = this.#taken;
    const replaced = this.#replaced;
    const later = this.#later;
    const possible = new Set(compile.length > 0 ? [] : later);
    let kept = false;
    let most = taken;
    const results = compile.map((one) => {
      this.#taken = taken;
      this.#replaced = replaced;
      this.#later = later;
      const result = one();
      if (!result?.ends) for (const body of this.#later) possible.add(body);
      if (this.#replaced || result?.ends) return result;
      kept = true;
      most = Math.max(most, this.#taken);
      return result;
    });
    this.#taken = most;
    this.#replaced = replaced || (compile.length > 0 && !kept);
    this.#later = possible;
    return results;
  }
}

function keepAll(bodies: Iterable<Later>): void {
  for (const body of bodies) body.keep();
}
