import { failure } from '../errors.ts';
import { defineStep } from './step.ts';

/** `switch` is a reserved word of TypeScript: the definition is called by its pattern's verb. */
export const switchStep = defineStep({
  name: 'switch',
  pattern: 'Content-Based Router',
  summary: 'Runs the steps of the first case whose `when` is true.',
  options: {
    type: 'object',
    properties: {
      cases: {
        type: 'array',
        minItems: 1,
        description: 'Tried in order.',
        items: {
          type: 'object',
          properties: {
            when: {
              type: 'string',
              format: 'expression',
              description: 'JSONata; the case is taken when it is `true`.',
            },
            steps: { kind: 'steps', description: 'What this case does.' },
          },
          required: ['when', 'steps'],
        },
      },
      otherwise: { kind: 'steps', description: 'When no case matched. Without it that is the error `unmatched`.' },
    },
    required: ['cases'],
  },
  compile(options, context) {
    const conditions = options.cases.map((one) => context.expression(one.when));
    const { otherwise } = options;
    if (!otherwise) {
      context.report('', {
        severity: 'warning',
        code: 'no-otherwise',
        at: 'key',
        message:
          'A message that no case matches fails as `unmatched`. Say what happens to it: `otherwise: [ … ]`, or `otherwise: []` to go on',
      });
    }
    const branches = context.alternatives([
      ...options.cases.map((one) => () => context.steps(one.steps)),
      ...(otherwise ? [() => context.steps(otherwise)] : []),
    ]);
    const last = otherwise ? branches[conditions.length] : undefined;
    return {
      ends: branches.every((branch) => branch.ends),
      handler: async (exchange) => {
        for (let i = 0; i < conditions.length; i++) {
          const found = conditions[i]?.(exchange);
          // `return await`: a promise that is returned as it is costs two turns more.
          if ((found instanceof Promise ? await found : found) === true) return await branches[i]?.handler(exchange);
        }
        if (!last) throw failure('unmatched', { step: context.title });
        return await last.handler(exchange);
      },
    };
  },
});
