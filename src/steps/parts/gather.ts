import { type Giving, Life } from '../../core/life.ts';
import { type Failure, failure, toFailure } from '../../errors.ts';

/** How many must succeed: all of them, one, a number, or none. */
export const requireOption = {
  default: 'all',
  either: [
    { type: 'string', enum: ['all', 'any', 'none'] },
    { type: 'integer', minimum: 1 },
  ],
  description:
    '`all` (default): one failure fails the step. `any` or a number: that many are enough; the rest is cancelled. `none`: waits for all of them, whatever becomes of each. Those that failed are missing from the result and stand in `$failed`.',
} as const;

export interface Gathered {
  readonly results: Readonly<Record<string, unknown>>;
  readonly failed: ReadonlyMap<string, Failure>;
}

interface Options {
  readonly require: 'all' | 'any' | 'none' | number;
  readonly life: Life;
  readonly deadline?: number | undefined;
  readonly parallel?: number;
}

/**
 * Runs `work` for every name side by side and waits until enough have succeeded or too many have failed; whoever is not
 * needed any more is cancelled (Scatter-Gather, EIP).
 */
export const gather = (
  names: readonly string[],
  work: (name: string, life: Life) => Promise<unknown>,
  options: Options,
): Promise<Gathered> => new Promise((resolve, reject) => new Gathering(names, work, options, resolve, reject).begin());

/** One that is going on. */
class Gathering implements Giving {
  place = -1;
  readonly #names: readonly string[];
  readonly #work: (name: string, life: Life) => Promise<unknown>;
  readonly #resolve: (gathered: Gathered) => void;
  readonly #reject: (reason: Failure) => void;
  readonly #required: number;
  /** Waits for all of them, though enough have succeeded. */
  readonly #patient: boolean;
  readonly #parallel: number;
  readonly #outer: Life;
  /** Of all branches. */
  readonly #life: Life;
  /** What each yielded, and how it failed, in the order of the names. */
  readonly #values: { readonly value: unknown }[];
  readonly #failures: Failure[];
  #succeeded = 0;
  #failed = 0;
  #started = 0;
  #underWay = 0;
  /** It is decided: what is to be done when nothing is under way any more. */
  #settle: (() => void) | undefined;

  constructor(
    names: readonly string[],
    work: (name: string, life: Life) => Promise<unknown>,
    { require, life, deadline, parallel }: Options,
    resolve: (gathered: Gathered) => void,
    reject: (reason: Failure) => void,
  ) {
    const total = names.length;
    const { clock } = life;
    this.#names = names;
    this.#work = work;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#required =
      require === 'all' ? total : require === 'any' ? Math.min(1, total) : require === 'none' ? 0 : require;
    this.#patient = require === 'none';
    this.#parallel = Math.min(parallel ?? total, total);
    this.#outer = life;
    this.#life =
      deadline === undefined
        ? new Life(clock, { parent: life })
        : new Life(clock, { parent: life, deadline: clock.monotonic() + deadline, late });
    this.#values = new Array(total);
    this.#failures = new Array(total);
  }

  begin(): void {
    this.#life.listen(this);
    this.#judge();
    for (let i = this.#parallel; i > 0; i--) this.#start();
  }

  /** Its own deadline only ends the branches; the end of the message ends it as well. */
  abort(reason: Failure): void {
    if (this.#outer.aborted) this.#finish(() => this.#reject(reason));
  }

  #start(): void {
    const index = this.#started;
    const name = this.#names[index];
    if (name === undefined || this.#settle) return;
    this.#started++;
    this.#underWay++;
    this.#work(name, this.#life).then(
      (value) => {
        if (this.#isLate()) return;
        this.#succeeded++;
        this.#values[index] = { value };
        this.#judge();
        this.#start();
      },
      (thrown: unknown) => {
        if (this.#isLate()) return;
        this.#failed++;
        this.#failures[index] = toFailure(thrown);
        this.#judge();
        this.#start();
      },
    );
  }

  /** One has ended; whether nobody waited for it any more. */
  #isLate(): boolean {
    this.#underWay--;
    if (!this.#settle) return false;
    if (this.#underWay === 0) this.#settle();
    return true;
  }

  #judge(): void {
    const total = this.#names.length;
    const waits = this.#patient && this.#succeeded + this.#failed < total;
    if (this.#succeeded >= this.#required && !waits) {
      this.#finish(() => this.#resolve({ results: this.#results(), failed: this.#failedByName() }));
    } else if (this.#failed > total - this.#required) {
      const facts = { succeeded: this.#succeeded, total, required: this.#required };
      this.#finish(() => this.#reject(verdict(this.#failedByName(), facts)));
    }
  }

  // Whoever is cancelled has ended before the step does: nothing happens behind the back of those who undo.
  #finish(settle: () => void): void {
    if (this.#settle) return;
    this.#settle = settle;
    if (this.#underWay > 0) {
      this.#life.abort(failure('aborted', { detail: 'it was not needed any more' }));
      return;
    }
    this.#life.end();
    settle();
  }

  #results(): Record<string, unknown> {
    const results: Record<string, unknown> = {};
    for (let index = 0; index < this.#names.length; index++) {
      const done = this.#values[index];
      if (done) results[this.#names[index] ?? ''] = done.value;
    }
    return results;
  }

  #failedByName(): ReadonlyMap<string, Failure> {
    if (this.#failed === 0) return nobody;
    const failed = new Map<string, Failure>();
    for (let index = 0; index < this.#names.length; index++) {
      const failure = this.#failures[index];
      if (failure) failed.set(this.#names[index] ?? '', failure);
    }
    return failed;
  }
}

const nobody: ReadonlyMap<string, Failure> = new Map();

const late = (): Failure => failure('deadline', { flow: 'scatterGather' });

// With `all` the failure itself goes on, so that `on: [timeout]` still matches; else it takes several to say why.
function verdict(
  failed: ReadonlyMap<string, Failure>,
  facts: { succeeded: number; total: number; required: number },
): Failure {
  const [first] = failed.values();
  if (facts.required === facts.total && first) return first;
  const failures = [...failed].map(([name, error]) => `${name}: ${error.message}`);
  const lasting = [...failed.values()].filter((error) => error.kind !== 'transient' && error.kind !== 'rejected');
  const kind = facts.total - lasting.length >= facts.required ? 'transient' : 'permanent';
  return failure('branches', { ...facts, failures, failed: failedVariable(failed) }, { cause: first, kind });
}

const nothing: Readonly<Record<string, unknown>> = Object.freeze({});

/** `$failed`: the error of each branch that is missing from the result. */
export const failedVariable = (failed: ReadonlyMap<string, Failure>): Readonly<Record<string, unknown>> =>
  failed.size === 0
    ? nothing
    : Object.fromEntries(
        [...failed].map(([name, error]) => [name, { code: error.code, kind: error.kind, message: error.message }]),
      );
