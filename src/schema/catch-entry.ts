import type { Schema } from './schema.ts';

/** One entry of `catch` and of a flow's `onError`. */
export const catchEntry = {
  type: 'object',
  properties: {
    on: {
      type: 'array',
      items: {
        type: 'string',
        pattern: '^[a-z][a-z0-9-]*$',
        patternText: 'a code (`http-404`), a class (`http-5xx`) or a kind (`transient`)',
      },
      minItems: 1,
      description: 'Codes (`timeout`, `http-404`), classes (`http-5xx`) or kinds (`transient`). Absent: every error.',
      examples: [['circuit-open', 'timeout']],
    },
    when: { type: 'string', format: 'expression', description: 'JSONata over `$error`; must be true as well.' },
    steps: { kind: 'steps', description: 'Run instead; they see `$error`.' },
  },
  required: ['steps'],
} as const satisfies Schema;
