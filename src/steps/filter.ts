import { defineStep } from './step.ts';

export const filter = defineStep({
  name: 'filter',
  pattern: 'Message Filter',
  summary: 'Lets the message go on only when the condition is true; else the flow ends quietly, acknowledged.',
  options: {
    type: 'object',
    properties: {
      when: { type: 'string', format: 'expression', description: 'JSONata; only `true` lets the message go on.' },
    },
    required: ['when'],
  },
  compile(options, context) {
    const when = context.expression(options.when);
    return async (exchange) => ((await when(exchange)) === true ? exchange : undefined);
  },
});
