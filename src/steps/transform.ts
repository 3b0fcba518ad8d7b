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
    // Most expressions need no promise.
    return async (exchange) => {
      const value = evaluate(exchange);
      return exchange.withBody(Body.value(value instanceof Promise ? await value : value));
    };
  },
});
