import type { Failure } from '../../errors.ts';
import type { Values } from './options.ts';
import type { Place } from './place.ts';

/** Yields the exit code. */
export type Job = (place: Place) => Promise<number>;

export interface Command {
  /** How many ids it takes. */
  readonly ids: 'none' | 'one' | 'many';
  /** Checks how it is used; throws a UsageError before anything is opened. */
  readonly prepare: (ids: readonly string[], values: Values) => Job;
}

const unavailable: ReadonlySet<string> = new Set([
  'aborted',
  'connection',
  'startup',
  'starting',
  'stopping',
  'store',
  'timeout',
]);

/** Neither this letter nor another can be handled now. */
export const isUnavailable = ({ code }: Failure): boolean => unavailable.has(code);
