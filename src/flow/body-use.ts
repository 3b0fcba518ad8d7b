import type { BodyUse } from '../steps/step.ts';

/**
 * Decides, once, while a flow is compiled, whether its first body can be relayed as a stream: no step looks at it, and
 * at most one passes it on. Bodies that come later (answers of calls) decide for themselves when they are read.
 */
export class FirstBody implements BodyUse {
  #looked = false;
  #taken = 0;
  #replaced = false;
  #repeated = 0;

  get streams(): boolean {
    return !this.#looked && this.#taken <= 1;
  }

  look(): void {
    if (!this.#replaced) this.#looked = true;
  }

  take(): void {
    if (this.#replaced) return;
    this.#taken++;
    // A loop's round or a branch may run several times or beside others.
    if (this.#repeated > 0) this.#looked = true;
  }

  replace(): void {
    this.#replaced = true;
  }

  /** Inside `compile`, whatever passes the body on may do so more than once. */
  repeatedly<T>(compile: () => T): T {
    this.#repeated++;
    try {
      return compile();
    } finally {
      this.#repeated--;
    }
  }

  /**
   * Steps that run after others failed: they see the body as it came in, whatever replaced it since; if they need it,
   * the others must not have given its stream away.
   */
  afterFailure<T>(compile: () => T): T {
    const taken = this.#taken;
    const result = this.apart(() => {
      this.#replaced = false;
      return compile();
    });
    if (this.#taken > taken) this.#looked = true;
    return result;
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
  alternatives<T>(compile: readonly (() => T)[]): readonly T[] {
    const taken = this.#taken;
    const replaced = this.#replaced;
    let most = taken;
    let all = compile.length > 0;
    const results = compile.map((one) => {
      this.#taken = taken;
      this.#replaced = replaced;
      const result = one();
      most = Math.max(most, this.#taken);
      all &&= this.#replaced;
      return result;
    });
    this.#taken = most;
    this.#replaced = replaced || all;
    return results;
  }
}
