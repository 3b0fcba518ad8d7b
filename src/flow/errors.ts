import type { Exchange, Handler } from '../core/exchange.ts';
import { Life } from '../core/life.ts';
import { type Failure, failure, toFailure } from '../errors.ts';
import type { Catching } from '../steps/parts/catch.ts';
import type { FlowProgram } from './program.ts';

/**
 * What a flow does with an error of its steps: undo what was done, the latest first, then let `onError` answer; what
 * that does not catch goes to the source.
 */
export function withErrors(steps: Handler, onError: Catching | undefined): Handler {
  return async (exchange) => {
    try {
      return await steps(exchange);
    } catch (thrown) {
      const error = toFailure(thrown);
      await undo(exchange);
      if (!onError) throw error;
      const after = exchange.life.aborted ? exchange.with({ life: exchange.life.grace() }) : exchange;
      return onError.handle(after, error);
    }
  };
}

/**
 * A flow inside another's message: within its own deadline, and a scope of undoing: when it fails, what it did is undone
 * before the caller hears of it; when it succeeds, that becomes the caller's to undo.
 */
export function subFlow(flow: FlowProgram): Handler {
  const { deadline } = flow.source;
  const late = (): Failure => failure('deadline', { flow: flow.name });
  return async (exchange) => {
    const outer = exchange.life;
    const until = deadline === undefined ? {} : { deadline: outer.clock.monotonic() + deadline, late };
    const life = new Life(outer.clock, { parent: outer, scope: true, ...until });
    try {
      const result = await flow.handler(exchange.with({ life }));
      life.leaveUndo();
      return result?.with({ life: outer });
    } finally {
      life.end();
    }
  };
}

/** Compensating Transactions: every one is tried; one that fails leaves an effect behind, which somebody must see. */
async function undo(exchange: Exchange): Promise<void> {
  const undos = exchange.life.takeUndo();
  if (undos.length === 0) return;
  let failed: Failure | undefined;
  for (const one of undos) {
    const life: Life = exchange.life.grace(60_000);
    try {
      await one.run(life);
    } catch (thrown) {
      failed = toFailure(thrown);
      exchange.services.log.error('a compensation failed: its effect is still there', {
        flow: exchange.flow,
        exchange: exchange.id,
        place: one.place,
        code: failed.code,
        detail: failed.message,
      });
    } finally {
      life.end();
    }
  }
  if (failed) exchange.life.affect('unknown');
}
