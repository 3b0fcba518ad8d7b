import type { Handler } from '../core/exchange.ts';
import { withGrace } from '../core/grace.ts';
import { toFailure } from '../errors.ts';
import { catchEntry } from '../schema/catch-entry.ts';
import { compileCatch } from './parts/catch.ts';
import { type Compiled, defineStep } from './step.ts';

export const tryStep = defineStep({
  name: 'try',
  summary: 'Runs steps, and others when they fail.',
  options: {
    type: 'object',
    properties: {
      steps: { kind: 'steps', description: 'What may fail.' },
      catch: {
        type: 'array',
        minItems: 1,
        items: catchEntry,
        description: 'The first entry that fits the error runs; when none does, the error goes on.',
      },
      finally: { kind: 'steps', description: 'Runs in any case; the message goes on as it was.' },
    },
    required: ['steps'],
  },
  compile(options, context) {
    const { catch: entries, finally: cleaning } = options;
    const compileMain = (): Compiled => context.steps(options.steps);
    const compileCaught = entries && (() => compileCatch(entries, context, 'catch/'));
    const noReply = '`finally` runs beside the answer';
    const [[main, caught], last] = context.attempt(
      () => context.attempt(compileMain, compileCaught, true),
      cleaning && (() => context.steps(cleaning, { scope: 'inner', noReply })),
      false,
    );
    const attempt: Handler = async (exchange) => {
      try {
        return await main.handler(exchange);
      } catch (thrown) {
        if (!caught) throw thrown;
        return caught.handle(exchange, toFailure(thrown));
      }
    };
    const ends = main.ends && (caught?.ends ?? true);
    if (!last) return { ends, handler: attempt };
    return {
      ends,
      handler: async (exchange) => {
        try {
          return await attempt(exchange);
        } finally {
          // What goes on after a restart has not come to its end.
          if (!exchange.life.suspended) await withGrace(exchange, last.handler);
        }
      },
    };
  },
});
