import { compensated, compensateOption } from './parts/compensate.ts';
import { defineStep } from './step.ts';

export const group = defineStep({
  name: 'group',
  summary: 'Gives several steps one name and one undo.',
  options: {
    type: 'object',
    properties: {
      steps: { kind: 'steps', description: 'Run in order.' },
      compensate: compensateOption,
    },
    required: ['steps'],
  },
  compile(options, context) {
    const inside = context.steps(options.steps, options.compensate ? { undo: 'given' } : {});
    return { ends: inside.ends, handler: compensated(inside.handler, options.compensate, context) };
  },
});
