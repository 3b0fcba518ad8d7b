import { Life } from '../core/life.ts';
import type { Failure } from '../errors.ts';
import type { Policy } from './policy.ts';

/** Cancels what has not ended after `ms`; the message's own deadline still holds. */
export function withLimit(ms: number, late: () => Failure): Policy {
  return (next) => (exchange) => {
    const { clock } = exchange.services;
    const since = clock.monotonic();
    const life = new Life(clock, { parent: exchange.life, since, deadline: since + ms, late });
    return next(exchange.withLife(life)).then(
      (answer) => {
        life.end();
        return answer?.withLife(exchange.life);
      },
      (thrown: unknown) => {
        life.end();
        throw thrown;
      },
    );
  };
}
