import { sleep } from '../core/clock.ts';
import { defineStep } from './step.ts';

export const delay = defineStep({
  name: 'delay',
  summary: 'Waits before the message goes on; a deadline or a shutdown ends the wait.',
  options: {
    type: 'object',
    properties: { for: { type: 'string', format: 'duration', description: 'How long.', examples: ['5s'] } },
    required: ['for'],
  },
  compile(options) {
    return async (exchange) => {
      await sleep(exchange.services.clock, options.for, exchange.life.signal);
      return exchange;
    };
  },
});
