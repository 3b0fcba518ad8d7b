import { Life } from '../../core/life.ts';
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

/**
 * Runs `work` for every name side by side and waits until enough have succeeded or too many have failed; whoever is not
 * needed any more is cancelled (Scatter-Gather, EIP).
 */
export function gather(
  names: readonly string[],
  work: (name: string, life: Life) => Promise<unknown>,
  options: {
    readonly require: 'all' | 'any' | 'none' | number;
    readonly life: Life;
    readonly deadline?: number | undefined;
    readonly parallel?: number;
  },
): Promise<Gathered> {
  const total = names.length;
  const { require } = options;
  const required =
    require === 'all' ? total : require === 'any' ? Math.min(1, total) : require === 'none' ? 0 : require;
  const late = (): Failure => failure('deadline', { flow: 'scatterGather' });
  const clock = options.life.clock;
  const life = new Life(clock, {
    parent: options.life,
    ...(options.deadline === undefined ? {} : { deadline: clock.monotonic() + options.deadline, late }),
  });
  return new Promise<Gathered>((resolve, reject) => {
    const results = new Map<string, unknown>();
    const failed = new Map<string, Failure>();
    let succeeded = 0;
    let failures = 0;
    let started = 0;
    let over = false;
    let leave: (() => void) | undefined;

    const underWay = new Set<Promise<unknown>>();
    // Whoever is cancelled has ended before the step does: nothing happens behind the back of those who undo.
    const finish = (settle: () => void): void => {
      if (over) return;
      over = true;
      leave?.();
      if (underWay.size === 0) {
        life.end();
        settle();
        return;
      }
      life.abort(failure('aborted', { detail: 'it was not needed any more' }));
      void Promise.allSettled(underWay).then(settle);
    };
    const judge = (): void => {
      const waits = require === 'none' && succeeded + failures < total;
      if (succeeded >= required && !waits) finish(() => resolve({ results: ordered(names, results), failed }));
      else if (failures > total - required) finish(() => reject(verdict(failed, { succeeded, total, required })));
    };
    const start = (): void => {
      const name = names[started++];
      if (name === undefined || over) return;
      const working = work(name, life);
      underWay.add(working);
      working.then(
        (value) => {
          underWay.delete(working);
          if (over) return;
          succeeded++;
          results.set(name, value);
          judge();
          start();
        },
        (thrown: unknown) => {
          underWay.delete(working);
          if (over) return;
          failures++;
          failed.set(name, toFailure(thrown));
          judge();
          start();
        },
      );
    };

    leave = options.life.onAbort((reason) => finish(() => reject(reason)));
    judge();
    for (let i = Math.min(options.parallel ?? total, total); i > 0; i--) start();
  });
}

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

const ordered = (names: readonly string[], results: ReadonlyMap<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(names.filter((name) => results.has(name)).map((name) => [name, results.get(name)]));

/** `$failed`: the error of each branch that is missing from the result. */
export const failedVariable = (failed: ReadonlyMap<string, Failure>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    [...failed].map(([name, error]) => [name, { code: error.code, kind: error.kind, message: error.message }]),
  );
