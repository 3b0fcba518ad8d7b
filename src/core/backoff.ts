import type { Random } from './random.ts';

/** How pauses grow while something fails again and again. Both in milliseconds. */
export interface Growth {
  readonly delay: number;
  readonly factor?: number;
  readonly maxDelay: number;
}

/** The longest pause after so many failures in a row, from 1. */
export function pauseBound({ delay, factor = 2, maxDelay }: Growth, failures: number): number {
  // A power too large to be a number would make no number of no pause.
  return delay === 0 ? 0 : Math.min(maxDelay, delay * factor ** (failures - 1));
}

/**
 * Exponential backoff with full jitter: a pause anywhere between nothing and a bound that grows. Those that failed
 * together do not come back together (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 */
export const backoff = (growth: Growth, failures: number, random: Pick<Random, 'next'>): number =>
  random.next() * pauseBound(growth, failures);
