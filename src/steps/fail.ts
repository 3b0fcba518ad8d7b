import { customFailure } from '../errors.ts';
import { textOf } from './parts/text.ts';
import { defineStep } from './step.ts';

export const fail = defineStep({
  name: 'fail',
  summary: 'Ends the message with an error of your own.',
  options: {
    type: 'object',
    properties: {
      code: {
        type: 'string',
        pattern: '^[a-z][a-z0-9-]*$',
        patternText: 'lower-case words joined by dashes, such as `out-of-stock`',
        default: 'failed',
        description: 'What `on:` in `catch` and `onError` matches, and what callers see.',
      },
      status: {
        type: 'integer',
        minimum: 400,
        maximum: 599,
        description: 'HTTP status. Default: 500, 503 if transient.',
      },
      detail: { type: 'string', template: true, description: 'What happened, for the caller.' },
      kind: {
        type: 'string',
        enum: ['permanent', 'transient'],
        default: 'permanent',
        description: '`transient`: the same message may succeed later; it is redelivered. `permanent`: never.',
      },
    },
  },
  compile(options, context) {
    const detail = options.detail ? context.template(options.detail) : undefined;
    const status = options.status ?? (options.kind === 'transient' ? 503 : 500);
    return {
      ends: true,
      handler: async (exchange) => {
        const given = detail && (await detail(exchange));
        const text = given === undefined ? `The flow failed with ${options.code}` : textOf(given);
        throw customFailure(options.code, options.kind, status, text);
      },
    };
  },
});
