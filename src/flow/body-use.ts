import type { BodyUse, Ending } from '../steps/step.ts';

/**
 * Decides, once, while a flow is compiled, whether its first body can be relayed as a stream: no step looks at it, and
 * at most one passes it on. Bodies that come later (answers of calls) decide for themselves when they are read.
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

  get streams(): boolean {
    return !this.#looked && this.#most <= 1;
  }

  get uses(): number {
    return this.#uses;
  }

  look(): void {
    this.#uses++;
    if (!this.#replaced) this.#looked = true;
  }

  take(): void {
    this.#uses++;
    if (this.#replaced) return;
    this.#taken++;
    this.#most = Math.max(this.#most, this.#taken);
    // A loop's round or a branch may run several times or beside others.
    if (this.#repeated > 0) this.#looked = true;
  }

  replace(): void {
    this.#replaced = true;
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
    const tried = main();
    if (!instead) return [tried, undefined];
    const replaced = this.#replaced;
    this.#replaced = before;
    this.#repeated++;
    const other = instead();
    this.#repeated--;
    this.#replaced = replaced && (!rejoins || this.#replaced || other?.ends === true);
    return [tried, other];
  }

  /** A replacement inside belongs to the inside only. */
  apart<T>(compile: () => T): T {
    const before = this.#replaced;
    try {
      return compile();
    } finally {
      this.#replaced = before;
    }
  }

  /** Of these, one runs: what they take does not add up, and the body is another one behind them only if it is so in all. */
  alternatives<T extends Ending>(compile: readonly (() => T)[]): readonly T[] {
    const taken = this.#taken;
    const replaced = this.#replaced;
    let kept = false;
    let most = taken;
    const results = compile.map((one) => {
      this.#taken = taken;
      this.#replaced = replaced;
      const result = one();
      if (this.#replaced || result?.ends) return result;
      kept = true;
      most = Math.max(most, this.#taken);
      return result;
    });
    this.#taken = most;
    this.#replaced = replaced || (compile.length > 0 && !kept);
    return results;
  }
}
