import { customFailure } from '../errors.ts';
import { textOf } from './parts/text.ts';
import { defineStep } from './step.ts';

export const fail = defineStep({
  name: 'fail',
  summary:
    'Ends the message with an error of your own; `fail: {}` in `catch` and `onError` lets the error itself go on.',
  options: {
    type: 'object',
    properties: {
      code: {
        type: 'string',
        pattern: '^[a-z][a-z0-9-]*$',
        patternText: 'lower-case words joined by dashes, such as `out-of-stock`',
        description: 'What `on:` in `catch` and `onError` matches, and what callers see. Default: `failed`.',
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
        description:
          '`transient`: the same message may succeed later; it is redelivered. `permanent` (default): never.',
      },
    },
  },
  compile(options, context) {
    const detail = options.detail ? context.template(options.detail) : undefined;
    const { code = 'failed', kind = 'permanent' } = options;
    const status = options.status ?? (kind === 'transient' ? 503 : 500);
    const isEmpty = Object.values(options).every((option) => option === undefined);
    return {
      ends: true,
      handler: async (exchange) => {
        if (isEmpty && exchange.error) throw exchange.error;
        const given = detail && (await detail(exchange));
        const text = given === undefined ? `The flow failed with ${code}` : textOf(given);
        throw customFailure(code, kind, status, text);
      },
    };
  },
});
