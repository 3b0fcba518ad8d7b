/** What a step says about its call beside the options of the connector. */
import type { Exchange, Handler } from '../core/exchange.ts';

interface Marks {
  readonly repeatable?: unknown;
  readonly whole?: unknown;
}

/** The call may be repeated. */
export const isRepeatable = (operation: unknown): boolean => (operation as Marks | undefined)?.repeatable === true;

/**
 * Where the answer is looked at or kept, receiving all of it is part of the call: of its timeout, of what is retried, and
 * of what says that the far side is well. Else it is relayed as it comes.
 */
export const receiving =
  (next: Handler): Handler =>
  (exchange) => {
    const whole = (exchange.operation as Marks | undefined)?.whole === true || exchange.life.journal !== undefined;
    return whole ? received(next, exchange) : next(exchange);
  };

/** Once for each call, before its policies: what they remember of a call, and when they repeat it, goes by the request. */
export const preparing =
  (prepare: (exchange: Exchange) => Exchange | Promise<Exchange>, next: Handler): Handler =>
  async (exchange) =>
    next(await prepare(exchange));

async function received(next: Handler, exchange: Exchange): Promise<Exchange | undefined> {
  const answer = await next(exchange);
  if (!answer?.body.isStream) return answer;
  try {
    await answer.bytes();
    return answer;
  } catch (thrown) {
    answer.body.discard();
    throw thrown;
  }
}
