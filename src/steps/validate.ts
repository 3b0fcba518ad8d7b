import { failure } from '../errors.ts';
import { defineStep } from './step.ts';

/** How a JSON Schema begins that was written one level too high. */
const keywords = ['$schema', '$ref', 'type', 'properties', 'required', 'items', 'enum', 'additionalProperties'];

export const validate = defineStep({
  name: 'validate',
  pattern: 'Datatype Channel',
  summary: 'Checks the body against a JSON Schema; every finding is part of the error.',
  options: {
    type: 'object',
    properties: {
      schema: {
        either: [
          { type: 'string', format: 'file', description: 'Path of a JSON Schema file, relative to this file.' },
          { type: 'object', any: true, description: 'The JSON Schema itself.' },
        ],
        description: 'JSON Schema (draft 2020-12, or draft-07 by `$schema`): a file, or inline.',
        examples: ['./order.schema.json'],
      },
    },
    required: ['schema'],
    elsewhere: Object.fromEntries(keywords.map((key) => [key, 'belongs under `schema:`'])),
  },
  compile(options, context) {
    const written = options.schema as { readonly text?: unknown; readonly pointer?: unknown } | undefined;
    const isFile = typeof written?.text === 'string' && typeof written.pointer === 'string';
    const check = context.jsonSchema(isFile ? written.text : written, 'schema');
    context.body.look();
    return async (exchange) => {
      const findings = check(await exchange.value());
      if (findings.length === 0) return exchange;
      throw failure('validation', {
        findings: findings.map((one) => `${one.pointer || 'the body'}: ${one.message}`),
        errors: findings.map((one) => ({ pointer: one.pointer, detail: one.message })),
      });
    };
  },
});
