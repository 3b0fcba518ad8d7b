import { backoff } from '../../core/backoff.ts';
import { sleep } from '../../core/clock.ts';
import type { Exchange } from '../../core/exchange.ts';
import type { Life, Undo } from '../../core/life.ts';
import { type Failure, toFailure } from '../../errors.ts';

/** How often, and how patiently, one undo is tried. */
export interface UndoOptions {
  readonly maxAttempts: number;
  /** Milliseconds before the second attempt; doubled each time. */
  readonly delay: number;
  readonly maxDelay: number;
}

export const defaultUndo: UndoOptions = { maxAttempts: 10, delay: 500, maxDelay: 10_000 };

/** What one attempt to undo may take, whatever became of the message. */
const attemptMs = 60_000;

/**
 * Compensating Transactions: what the scope did is undone, the latest first. Every one is tried, again and again where
 * it fails for a moment; one that cannot be done leaves an effect behind, and is parked for somebody to see.
 */
export async function undo(exchange: Exchange, error: Failure, options: UndoOptions): Promise<void> {
  for (const one of exchange.life.takeUndo()) {
    const failed = await undone(one, exchange, error, options);
    counted(exchange, failed ? 'failed' : 'done');
    if (!failed) {
      exchange.services.log.info('a compensation was done', { ...exchange.named, place: one.place, code: error.code });
      continue;
    }
    const { error: reason, attempts } = failed;
    exchange.life.affect('unknown');
    exchange.services.log.error('a compensation failed: its effect is still there', {
      ...exchange.named,
      place: one.place,
      code: reason.code,
      detail: reason.message,
    });
    const { place, saw } = one;
    await exchange.services.parkUndo?.(exchange, { place, saw, why: error, failed: reason, attempts });
  }
}

const counted = ({ flow, services }: Exchange, outcome: 'done' | 'failed'): void =>
  services.meter.counter('dowel_compensations_total', 'Effects that were to be undone.', { flow, outcome }).add();

/** Why it could not be done, if so. */
async function undone(
  one: Undo,
  exchange: Exchange,
  error: Failure,
  options: UndoOptions,
): Promise<{ readonly error: Failure; readonly attempts: number } | undefined> {
  const { clock, random, log } = exchange.services;
  for (let attempt = 1; ; attempt++) {
    const life: Life = exchange.life.undoing(attemptMs);
    try {
      await one.run(life, error, attempt);
      return undefined;
    } catch (thrown) {
      if (exchange.life.suspended) throw thrown;
      const failed = toFailure(thrown);
      const passing = failed.kind === 'transient' || failed.kind === 'rejected';
      if (!passing || attempt >= options.maxAttempts) return { error: failed, attempts: attempt };
      const pause = backoff(options, attempt, random);
      log.warn('a compensation failed, trying again', {
        ...exchange.named,
        place: one.place,
        attempt: attempt + 1,
        code: failed.code,
      });
      await sleep(clock, pause);
    } finally {
      life.end();
    }
  }
}
