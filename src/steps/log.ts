import { defineStep } from './step.ts';

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
    const { level } = options;
    return async (exchange) => {
      const { log: out } = exchange.services;
      if (level === 'debug' && !out.debugging) return exchange;
      const facts = fields ? ((await fields(exchange)) as Record<string, unknown>) : {};
      out[level](String(await message(exchange)), { flow: exchange.flow, exchange: exchange.id, ...facts });
      return exchange;
    };
  },
});
