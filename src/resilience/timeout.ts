import { Life } from '../core/life.ts';
import type { Failure } from '../errors.ts';
import type { Policy } from './policy.ts';

/** Cancels what has not ended after `ms`; the message's own deadline still holds. */
export function withLimit(ms: number, late: () => Failure): Policy {
  return (next) => async (exchange) => {
    const { clock } = exchange.services;
    const life = new Life(clock, { parent: exchange.life, deadline: clock.monotonic() + ms, late });
    try {
      const answer = await next(exchange.withLife(life));
      return answer?.withLife(exchange.life);
    } finally {
      life.end();
    }
  };
}
