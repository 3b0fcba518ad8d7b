import type { Meter } from './limits.ts';

/** What a built-in function gets as `this`. */
export interface Focus {
  readonly environment: Environment;
  readonly input?: unknown;
  createSequence(...items: unknown[]): unknown[];
}

export interface Environment {
  lookup(name: string): unknown;
  readonly base: { meter?: Meter; readonly depth: number; readonly lookup: (name: string) => unknown };
}

export type Implementation = (this: Focus, ...args: never[]) => unknown;

/** How the interpreter represents a built-in function. */
export interface Definition {
  readonly _jsonata_function: true;
  readonly implementation: Implementation;
  readonly signature?: unknown;
}

/** What `$now` and its like answer during one evaluation. */
export interface Chance {
  now(): number;
  random(): number;
  uuid(): string;
}

// No variable can have these names: a name ends at a blank.
export const meterName = ' meter';
export const chanceName = ' chance';

export function meterOf(environment: Environment): Meter {
  const { base } = environment;
  base.meter ??= base.lookup(meterName) as Meter;
  return base.meter;
}

export const chanceOf = (environment: Environment): Chance => environment.base.lookup(chanceName) as Chance;

/** An error in the form of the interpreter's own. */
export const problem = (code: string, facts: Readonly<Record<string, unknown>> = {}): object => ({ code, ...facts });
