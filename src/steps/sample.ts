import { Body } from '../core/body.ts';
import type { Exchange } from '../core/exchange.ts';
import type { Nature } from '../core/journal.ts';
import { defineStep } from './step.ts';

/** A durable message that was chosen is so again when it goes on after a crash. */
const choosing: Nature = { safe: true, repeatable: true };

export const sample = defineStep({
  name: 'sample',
  summary: 'Lets one message of many go on; for the others the flow ends quietly, acknowledged.',
  options: {
    type: 'object',
    oneKey: true,
    properties: {
      every: {
        type: 'integer',
        minimum: 1,
        maximum: 1_000_000_000,
        description: 'Of so many messages the last goes on: with 100 the 100th, the 200th …, counted in this process.',
        examples: [100],
      },
      per: {
        type: 'string',
        format: 'duration',
        minimum: 1,
        description: 'At most one message goes on in this time: the first one, then the first after it is over.',
        examples: ['1s'],
      },
    },
  },
  compile({ every, per }, context) {
    let seen = 0;
    let again = Number.NEGATIVE_INFINITY;
    const isChosen = ({ services }: Exchange): boolean => {
      if (per === undefined) {
        seen = (seen + 1) % (every ?? 1);
        return seen === 0;
      }
      const now = services.clock.monotonic();
      if (now < again) return false;
      again = now + per;
      return true;
    };
    return async (exchange) => {
      const { journal } = exchange.life;
      if (!journal) return isChosen(exchange) ? exchange : undefined;
      const chosen = await journal.effect(exchange.position + context.pointer, exchange, choosing, async () =>
        isChosen(exchange) ? exchange.withBody(Body.empty) : undefined,
      );
      return chosen && exchange;
    };
  },
});
