import type { Exchange, Handler } from '../core/exchange.ts';
import { recovered } from '../core/pipeline.ts';
import { type Failure, toFailure } from '../errors.ts';

/**
 * Wraps a step: a failure learns where it happened, and at log level `debug` every step leaves a line. Everything that
 * watches steps is woven in here and nowhere else.
 */
export function observe(handler: Handler, place: string): Handler {
  const failed = (thrown: unknown): never => {
    throw located(thrown, place);
  };
  return (exchange) =>
    exchange.services.log.debugging ? described(handler, place, exchange) : recovered(handler, exchange, failed);
}

async function described(handler: Handler, place: string, exchange: Exchange): Promise<Exchange | undefined> {
  const { log, clock } = exchange.services;
  const start = clock.monotonic();
  const ms = (): number => Math.round((clock.monotonic() - start) * 1000) / 1000;
  try {
    const next = await handler(exchange);
    log.debug('step done', { ...exchange.named, place, ms: ms() });
    return next;
  } catch (thrown) {
    const error = located(thrown, place);
    log.debug('step failed', { ...exchange.named, place, ms: ms(), code: error.code });
    throw error;
  }
}

// A bug keeps what was thrown as its cause; a stack overflow of ours shows itself as malformed input.
function located(thrown: unknown, place: string): Failure {
  const error = toFailure(thrown);
  error.place ??= place;
  return error;
}
