import type { Exchange, Handler } from '../../core/exchange.ts';
import { Life } from '../../core/life.ts';
import type { StepSource } from '../../core/written.ts';
import type { Outcome } from '../../errors.ts';
import type { CompileContext } from '../step.ts';

export const compensateOption = {
  kind: 'steps',
  description:
    'Undoes the step: runs when the flow fails later on, the latest done step first, seeing what this step saw and its result. Also when the step itself failed and may have done something: it must bear that nothing was done.',
} as const;

/**
 * Compensating Transaction: what `done` did is remembered with its undoing; also what it may have done, or done in part,
 * when it fails.
 */
export function compensated(
  done: Handler,
  compensate: readonly StepSource[] | undefined,
  context: CompileContext,
): Handler {
  if (!compensate) return done;
  const { uses } = context.body;
  const undo = context.steps(compensate, {
    scope: 'inner',
    noReply: 'when it runs, the caller gets the error',
    error: true,
    undo: 'given',
  });
  const usesBody = context.body.uses > uses;
  const remember = (saw: Exchange, outcome: Outcome): void =>
    saw.life.onUndo({
      place: placeOf(context),
      outcome,
      saw,
      run: (life, error, attempt) =>
        undo.handler(saw.with({ life, error, reply: undefined, position: `${saw.position}#${attempt}` })),
    });
  return async (exchange) => {
    const outer = exchange.life;
    const life = new Life(outer.clock, { parent: outer, apart: true });
    try {
      const next = (await done(exchange.withLife(life)))?.withLife(outer);
      const saw = next ?? exchange;
      if (usesBody && saw.body.isStream) await saw.bytes();
      remember(saw, life.outcome);
      return next;
    } catch (thrown) {
      if (life.outcome !== 'none') remember(exchange, life.outcome);
      throw thrown;
    } finally {
      life.end();
    }
  };
}

/** As errors and logs call it: `book/steps/1 "Reserve the flight"`. */
function placeOf({ pointer, title }: CompileContext): string {
  const [, at = pointer, kind] = /^\/flows\/(.*)\/([^/]*)$/s.exec(pointer) ?? [];
  const path = at.replaceAll('~1', '/').replaceAll('~0', '~');
  return title === kind ? `${path} ${kind}` : `${path} "${title}"`;
}
