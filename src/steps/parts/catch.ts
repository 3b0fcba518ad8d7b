import type { Exchange } from '../../core/exchange.ts';
import type { CatchSource } from '../../core/written.ts';
import { type Failure, failureMatches, toFailure } from '../../errors.ts';
import type { CompileContext, Evaluate } from '../step.ts';

export interface Catching {
  readonly ends: boolean;
  /** Rethrows what no entry fits, and everything once the message was given up. */
  handle(exchange: Exchange, error: Failure): Promise<Exchange | undefined>;
}

/** `catch` of a step, `onError` of a flow: the first entry that fits. `at` is where they stand among the options. */
export function compileCatch(entries: readonly CatchSource[], context: CompileContext, at: string): Catching {
  const conditions: (Evaluate | undefined)[] = [];
  const branches = context.alternatives(
    entries.map((entry, index) => () => {
      entry.on?.forEach((selector, nth) => {
        context.selector(selector, `${at}${index}/on/${nth}`);
      });
      conditions.push(entry.when ? context.expression(entry.when, { error: true }) : undefined);
      return context.steps(entry.steps, { error: true });
    }),
  );
  const holds = async (index: number, failed: Exchange): Promise<boolean> => {
    const when = conditions[index];
    if (!when) return true;
    try {
      return (await when(failed)) === true;
    } catch (thrown) {
      const broken = toFailure(thrown);
      broken.place ??= `${context.pointer.replace('/flows/', '')}/${at}${index}/when`;
      throw broken;
    }
  };
  return {
    ends: branches.every((branch) => branch.ends),
    async handle(exchange, error) {
      if (exchange.life.aborted) throw error;
      const failed = exchange.with({ error });
      for (let i = 0; i < entries.length; i++) {
        const on = entries[i]?.on;
        if (on && !on.some((selector) => failureMatches(error, selector))) continue;
        if (!(await holds(i, failed))) continue;
        return branches[i]?.handler(failed);
      }
      throw error;
    },
  };
}
