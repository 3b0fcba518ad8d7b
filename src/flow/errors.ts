import type { Exchange, Handler } from '../core/exchange.ts';
import type { Life } from '../core/life.ts';
import { type Failure, toFailure } from '../errors.ts';
import type { Catching } from '../steps/parts/catch.ts';

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
