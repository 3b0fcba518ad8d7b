import { systemClock } from '../core/clock.ts';
import type { Log } from '../core/exchange.ts';
import { systemRandom } from '../core/random.ts';
import type { RuntimeServices } from '../flow/runtime.ts';
import { codec } from '../format/codec.ts';

/** How long messages under way may take to finish when the process is told to stop. */
export const drainTimeout = 25_000;

/** Real time, real chance. */
export const services = (log: Log): RuntimeServices => ({ clock: systemClock, random: systemRandom, codec, log });

/** One Ctrl-C arrives as several: the terminal sends it to every process, and npm and the launcher pass it on. */
const sameKeyMs = 500;

/** Calls `stop` at the first signal; a second one ends the process at once. */
export function onSignals(stop: (signal: NodeJS.Signals) => void): void {
  let first: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      const now = systemClock.monotonic();
      if (first !== undefined) {
        if (signal === 'SIGINT' && now - first < sameKeyMs) return;
        process.exit(signal === 'SIGINT' ? 130 : 143);
      }
      first = now;
      stop(signal);
    });
  }
}

/** Crash only: an error that nobody handled leaves an unknown state; nothing under way is acknowledged. */
export function onCrash(crash: (error: unknown) => void): void {
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
}
