import { backoff } from '../../core/backoff.ts';
import type { Random } from '../../core/random.ts';
import type { RedeliverySource } from '../../core/written.ts';
import type { Failure } from '../../errors.ts';

/** What holds where a flow says nothing: what fails for a moment is not given up at once. */
export const defaultRedelivery: RedeliverySource = { maxAttempts: 5, delay: 1_000, factor: 2, maxDelay: 60_000 };

/** A wait of at least so long is left to the far side, where that can be: it frees our memory. */
export const postponedFrom = 2_000;

/**
 * How often a message may be handed over before it is taken for one that ends the process, where the far side also counts
 * what was never begun: a few restarts in a row must not bury what only waited.
 */
export const deliveriesBefore = (maxAttempts: number): number => Math.max(10, 2 * maxAttempts);

/** What becomes of a message that failed. */
export type Fate =
  /** Its source keeps it, as if nothing had been tried. */
  | { readonly is: 'released' }
  /** Nothing was begun, for somebody is busy: it keeps its turn, and no attempt is counted. */
  | { readonly is: 'held'; readonly ms: number }
  | { readonly is: 'redelivered'; readonly ms: number }
  | { readonly is: 'dead' };

export interface Failed {
  readonly error: Failure;
  /** The one that failed, from 1. */
  readonly attempt: number;
  /** How often it was held back since it came. */
  readonly held: number;
  /** Nothing new begins any more. */
  readonly stopping: boolean;
}

export function fateOf({ error, attempt, held, stopping }: Failed, redelivery: RedeliverySource, random: Random): Fate {
  const { kind } = error;
  if (error.code === 'suspended' || (kind === 'cancelled' && stopping)) return { is: 'released' };
  if (kind === 'permanent' || kind === 'definition' || kind === 'bug') return { is: 'dead' };
  const heldBack = kind === 'rejected' && error.outcome === 'none';
  if (!heldBack && attempt >= redelivery.maxAttempts) return { is: 'dead' };
  if (stopping) return { is: 'released' };
  if (heldBack) return { is: 'held', ms: pauseBefore(error, held + 1, redelivery, random) };
  return { is: 'redelivered', ms: pauseBefore(error, attempt, redelivery, random) };
}

/** Not before the far side asked for, as far as that is below `maxDelay`. */
export function pauseBefore(
  error: Pick<Failure, 'facts'>,
  tries: number,
  redelivery: RedeliverySource,
  random: Random,
): number {
  const asked = error.facts['retryAfter'];
  const least = typeof asked === 'number' ? Math.min(asked, redelivery.maxDelay) : 0;
  return Math.ceil(Math.max(least, backoff(redelivery, tries, random)));
}
