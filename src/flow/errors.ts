import type { Exchange, Handler } from '../core/exchange.ts';
import { withGrace } from '../core/grace.ts';
import { Life } from '../core/life.ts';
import { recovered } from '../core/pipeline.ts';
import { type Failure, failure, toFailure } from '../errors.ts';
import type { Catching } from '../steps/parts/catch.ts';
import { defaultUndo, undo } from '../steps/parts/undo.ts';
import type { FlowProgram } from './program.ts';

/**
 * What a flow does with an error of its steps: undo what was done, the latest first, then let `onError` answer; what
 * that does not catch goes to the source.
 */
export function withErrors(steps: Handler, onError: Catching | undefined): Handler {
  return (exchange) => recovered(steps, exchange, (thrown) => undone(exchange, thrown, onError));
}

async function undone(
  exchange: Exchange,
  thrown: unknown,
  onError: Catching | undefined,
): Promise<Exchange | undefined> {
  if (exchange.life.suspended) throw thrown;
  const error = toFailure(thrown);
  await undo(exchange, error, defaultUndo);
  if (!onError) throw error;
  try {
    return await withGrace(exchange, (after) => onError.handle(after, error));
  } catch (again) {
    // What `onError` itself did until it failed.
    if (!exchange.life.suspended) await undo(exchange, toFailure(again), defaultUndo);
    throw again;
  }
}

/**
 * A flow inside another's message: within its own deadline, and a scope of undoing: when it fails, what it did is undone
 * before the caller hears of it; when it succeeds, that becomes the caller's to undo. `pointer`: of the step that runs it.
 */
export function subFlow(flow: FlowProgram, pointer: string): Handler {
  const { deadline } = flow.source;
  const late = (): Failure => failure('deadline', { flow: flow.name });
  return async (exchange) => {
    const outer = exchange.life;
    const until = deadline === undefined ? {} : { deadline: outer.clock.monotonic() + deadline, late };
    const life = new Life(outer.clock, { parent: outer, scope: true, ...until });
    try {
      const result = await flow.handler(exchange.withLife(life, `${exchange.position}${pointer}>`));
      life.leaveUndo();
      return result?.withLife(outer, exchange.position);
    } finally {
      life.end();
    }
  };
}
