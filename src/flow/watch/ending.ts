/** How messages and calls have ended, in the words of the metrics. */
import type { Exchange } from '../../core/exchange.ts';
import type { Attributes } from '../../core/span.ts';
import type { Failure } from '../../errors.ts';

export type Outcome = 'done' | 'dropped' | 'failed' | 'rejected' | 'cancelled';

export function outcomeOf(exchange: Exchange | undefined, error: Failure | undefined): Outcome {
  if (!error) return exchange === undefined ? 'dropped' : 'done';
  return error.kind === 'rejected' || error.kind === 'cancelled' ? error.kind : 'failed';
}

/** What the sender is told, in the language's own statuses; 499 where it went away. */
export function statusTold(exchange: Exchange | undefined, error: Failure | undefined): number {
  if (error) return error.status;
  if (exchange?.reply) return exchange.reply.status;
  return exchange === undefined || exchange.body.isEmpty ? 204 : 200;
}

/** Milliseconds with three decimals. */
export const roundedMs = (ms: number): number => Math.round(ms * 1000) / 1000;

export const errorAttributes = ({ code, place }: Failure): Attributes => ({
  'error.type': code,
  'dowel.error.code': code,
  'dowel.error.place': place,
});

/** What a span says that ends so; that somebody went away, or that we stop, is nobody's error. */
export const errorOf = (error: Failure): string | undefined => (error.kind === 'cancelled' ? undefined : error.code);
