import { Body } from '../core/body.ts';
import { defineStep } from './step.ts';

export const transform = defineStep({
  name: 'transform',
  pattern: 'Message Translator',
  summary: 'Makes a new body from the message with a JSONata expression.',
  options: {
    type: 'string',
    format: 'expression',
    description: 'JSONata. `$` is the body; the result becomes the body.',
    examples: ['{ "id": orderId, "total": $sum(items.price) }'],
  },
  compile(source, context) {
    const evaluate = context.expression(source);
    context.body.replace();
    return async (exchange) => exchange.withBody(Body.value(await evaluate(exchange)));
  },
});
