import { textOf } from './parts/text.ts';
import { defineStep } from './step.ts';

/** What every line says of itself: no field of a message may pass for it. */
const onEveryLine = ['level', 'time', 'message', 'integration', 'version', 'flow', 'exchange'];

export const log = defineStep({
  name: 'log',
  pattern: 'Message History',
  summary: 'Writes one line to the log; the message goes on unchanged.',
  options: {
    type: 'object',
    properties: {
      level: {
        type: 'string',
        enum: ['debug', 'info', 'warn', 'error'],
        default: 'info',
        description: 'How loud.',
      },
      message: {
        type: 'string',
        template: true,
        description:
          'The text. Facts are better kept in `fields`, so that the text stays the same and can be searched.',
      },
      fields: {
        type: 'object',
        template: true,
        additionalProperties: {},
        description: 'Facts by name: `orderId: ${{ orderId }}`. The body is never logged unless you name it.',
      },
    },
    required: ['message'],
  },
  compile(options, context) {
    const message = context.template(options.message);
    const fields = options.fields ? context.template(options.fields) : undefined;
    const written = options.fields?.value;
    const isMap = typeof written === 'object' && written !== null;
    for (const name of isMap ? Object.keys(written) : []) {
      if (!onEveryLine.includes(name)) continue;
      context.report(`fields/${name}`, {
        code: 'field-taken',
        at: 'key',
        message: `Every line says its \`${name}\` already: give this field another name`,
      });
    }
    const { level } = options;
    return async (exchange) => {
      const { log: out } = exchange.services;
      if (level === 'debug' && !out.debugging) return exchange;
      const values = await fields?.(exchange);
      // Where the message brings the names as well, they stay apart.
      const facts = isMap ? (values as Readonly<Record<string, unknown>>) : { fields: values };
      const text = (await message(exchange)) ?? context.title;
      out[level](textOf(text), { ...exchange.named, ...facts });
      return exchange;
    };
  },
});
