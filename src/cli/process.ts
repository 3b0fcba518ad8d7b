import { dirname } from 'node:path';
import { type CallLogLevel, callLogLevels } from '../core/call-log.ts';
import { systemClock } from '../core/clock.ts';
import type { Log } from '../core/exchange.ts';
import { systemRandom } from '../core/random.ts';
import type { Failure } from '../errors.ts';
import type { RuntimeServices } from '../flow/runtime.ts';
import { codec } from '../format/codec.ts';
import { parseDuration } from '../schema/units.ts';
import type { StoreOptions } from '../store/options.ts';
import { EnvironmentError } from './usage.ts';

/** What the environment says about the process itself, and not about the integration. */
export interface Surroundings {
  /** How long messages under way may take to finish when the process is told to stop, in milliseconds. */
  readonly drainTimeout: number;
  /** `undefined`: as the file says. */
  readonly logLevel: string | undefined;
  /** How loud the lines of messages and calls are; `undefined`: as the file says. */
  readonly logCalls: CallLogLevel | undefined;
  /** Where the admin server listens; `undefined`: as the file says. */
  readonly adminHost: string | undefined;
}

const levels: readonly string[] = ['debug', 'info', 'warn', 'error'];

export function surroundings(env: Readonly<Record<string, string | undefined>>): Surroundings {
  const logLevel = env['LOG_LEVEL'] || undefined;
  if (logLevel !== undefined && !levels.includes(logLevel)) {
    throw new EnvironmentError(`LOG_LEVEL is ${JSON.stringify(logLevel)}; it takes ${levels.join(', ')}`);
  }
  const calls = env['LOG_CALLS'] || undefined;
  const logCalls = callLogLevels.find((one) => one === calls);
  if (calls !== undefined && logCalls === undefined) {
    throw new EnvironmentError(`LOG_CALLS is ${JSON.stringify(calls)}; it takes ${callLogLevels.join(', ')}`);
  }
  const written = env['DOWEL_DRAIN_TIMEOUT'] || '25s';
  const drain = parseDuration(written);
  if (drain.value === undefined) {
    throw new EnvironmentError(`DOWEL_DRAIN_TIMEOUT is ${JSON.stringify(written)}; ${drain.problem}`);
  }
  return { drainTimeout: drain.value, logLevel, logCalls, adminHost: env['DOWEL_ADMIN_HOST'] || undefined };
}

/** Real time, real chance. `traced`: what steps do is recorded. */
export const services = (log: Log, traced = false): RuntimeServices => ({
  clock: systemClock,
  random: systemRandom,
  codec,
  log,
  async compileKept(definition, now) {
    const { compileKept } = await import('./kept-definition.ts');
    return compileKept(definition, now, process.env, traced);
  },
  async allConnectors() {
    return (await import('../../connectors/index.ts')).connectors;
  },
  async openStore({ name, file, store }) {
    // Most integrations keep nothing.
    const { openStore } = await import('../store/open.ts');
    // What is on the disk is not known any more: like any crash, nothing more is acknowledged.
    const onFatal = (error: Failure): void => {
      throw error;
    };
    const world = { clock: systemClock, log, integration: name, folder: dirname(file), onFatal };
    return openStore(store as StoreOptions | undefined, world);
  },
});

/** What a process that a signal ended at once ends with, as shells count it. */
export const exitOf = (signal: NodeJS.Signals): number => (signal === 'SIGINT' ? 130 : 143);

/** One stop arrives as several: a terminal, systemd and `timeout` tell every process, and npm and the launcher pass it on. */
const sameStopMs = 500;

/** Calls `stop` at the first signal; a second one ends the process at once. */
export function onSignals(stop: (signal: NodeJS.Signals) => void): void {
  let first: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      const now = systemClock.monotonic();
      if (first !== undefined) {
        if (now - first < sameStopMs) return;
        process.exit(exitOf(signal));
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
