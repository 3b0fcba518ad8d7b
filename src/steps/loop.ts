import type { Exchange } from '../core/exchange.ts';
import { failure } from '../errors.ts';
import { defineStep } from './step.ts';

export const loop = defineStep({
  name: 'loop',
  pattern: 'Dynamic Router',
  summary: 'Repeats its steps as long as the condition is true.',
  options: {
    type: 'object',
    properties: {
      while: { type: 'string', format: 'expression', description: 'JSONata, asked before each round.' },
      maxIterations: {
        type: 'integer',
        minimum: 1,
        maximum: 100000,
        default: 100,
        description: 'More rounds than this are the error `too-many-iterations`.',
      },
      steps: { kind: 'steps', description: 'One round.' },
    },
    required: ['while', 'steps'],
  },
  compile(options, context) {
    const condition = context.expression(options.while);
    const round = context.steps(options.steps, { repeated: true });
    const { maxIterations } = options;
    return async (exchange) => {
      let current: Exchange = exchange;
      for (let i = 0; (await condition(current)) === true; i++) {
        if (i === maxIterations) throw failure('too-many-iterations', { maxIterations });
        current.life.check();
        const next = await round.handler(current.with({ position: `${exchange.position}(${i})` }));
        if (next === undefined || next.reply) return next;
        current = next.with({ position: exchange.position });
      }
      return current;
    };
  },
});
