import type { Exchange, Handler } from '../../core/exchange.ts';
import type { StepSource } from '../../core/written.ts';
import type { CompileContext } from '../step.ts';

export const compensateOption = {
  kind: 'steps',
  description:
    'Undoes the step: runs when the flow fails later on, the latest done step first, seeing what this step saw and its result.',
} as const;

/** After `done` succeeded, its undoing is remembered (Compensating Transaction). */
export function compensated(
  done: Handler,
  compensate: readonly StepSource[] | undefined,
  context: CompileContext,
): Handler {
  if (!compensate) return done;
  const undo = context.steps(compensate, {
    scope: 'inner',
    noReply: 'when it runs, the caller gets the error',
    error: true,
  });
  return async (exchange) => {
    const next = await done(exchange);
    const saw: Exchange = next ?? exchange;
    if (saw.body.isStream) await saw.body.bytes(saw.services.codec);
    exchange.life.onUndo({
      place: context.title,
      run: (life) => undo.handler(saw.with({ life, reply: undefined })),
    });
    return next;
  };
}
