import type { Log } from './exchange.ts';

/** How loud the line is that each message and each call leaves. */
export const callLogLevels = ['off', 'debug', 'info'] as const;
export type CallLogLevel = (typeof callLogLevels)[number];

/** A line for each message that came and each call that was made, when it has ended. */
export interface CallLog {
  /** Whether a line would be written now: the level of a log can change. */
  readonly on: boolean;
  write(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** `undefined`: there are never any. */
export function callLog(log: Log, level: CallLogLevel): CallLog | undefined {
  if (level === 'off') return undefined;
  if (level === 'info') return { on: true, write: (message, fields) => log.info(message, fields) };
  return {
    get on() {
      return log.debugging;
    },
    write: (message, fields) => log.debug(message, fields),
  };
}
