import type { Handler } from '../core/exchange.ts';
import { type Failure, toFailure } from '../errors.ts';

/**
 * Wraps a step: a failure learns where it happened, and at log level `debug` every step leaves a line. Everything that
 * watches steps is woven in here and nowhere else.
 */
export function observe(handler: Handler, place: string): Handler {
  return async (exchange) => {
    const { log, clock } = exchange.services;
    const start = log.debugging ? clock.monotonic() : 0;
    try {
      const next = await handler(exchange);
      if (log.debugging) {
        log.debug('step done', {
          ...exchange.named,
          place,
          ms: since(clock.monotonic(), start),
        });
      }
      return next;
    } catch (thrown) {
      const error = located(thrown, place);
      if (log.debugging) {
        log.debug('step failed', {
          ...exchange.named,
          place,
          ms: since(clock.monotonic(), start),
          code: error.code,
        });
      }
      throw error;
    }
  };
}

const since = (now: number, start: number): number => Math.round((now - start) * 1000) / 1000;

// A bug keeps what was thrown as its cause; a stack overflow of ours shows itself as malformed input.
function located(thrown: unknown, place: string): Failure {
  const error = toFailure(thrown);
  error.place ??= place;
  return error;
}
