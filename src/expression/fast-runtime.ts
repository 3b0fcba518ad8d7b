/** What the compiled form of an expression calls for its operators and constructors. */

import type { Chance } from './builtin.ts';
import { type Frame, looked } from './fast-frame.ts';
import { limits } from './limits.ts';
import { bail, bounded, equal, isList, numeric, text } from './plain.ts';

export function giveUp(): never {
  throw bail;
}

export function negative(value: unknown): number | undefined {
  const number = numeric(value);
  return number === undefined ? undefined : -number;
}

const isComparable = (value: unknown): value is string | number =>
  typeof value === 'string' || (typeof value === 'number' && !Number.isNaN(value));

/** Whether `<` and its like have an answer; where they are an error, it gives up. */
export function comparable(frame: Frame, a: unknown, b: unknown): boolean {
  if (isComparable(a) && isComparable(b) && typeof a === typeof b) {
    looked(frame, a);
    return true;
  }
  const silent = (a === undefined || isComparable(a)) && (b === undefined || isComparable(b));
  if (!silent || (a !== undefined && b !== undefined)) throw bail;
  return false;
}

/** `=` if `same`, `!=` if not. */
export function equals(frame: Frame, a: unknown, b: unknown, same: boolean): boolean {
  if (a === undefined || b === undefined) return false;
  looked(frame, a);
  return equal(a, b) === same;
}

export function within(frame: Frame, a: unknown, b: unknown): boolean {
  if (a === undefined || b === undefined) return false;
  looked(frame, b);
  return isList(b) ? b.indexOf(a) >= 0 : a === b;
}

export const joined = (a: unknown, b: unknown): string =>
  bounded((a === undefined ? '' : text(a)) + (b === undefined ? '' : text(b)));

/** One item of `[…]`: a list in it is spread unless it was written as one. */
export function include(list: unknown[], value: unknown, asOne: boolean): void {
  if (value === undefined) return;
  if (asOne || !isList(value)) list.push(value);
  else for (const item of value) list.push(item);
  if (list.length > limits.listLength) throw bail;
}

/** An object without the fields that have no value. */
export function sparse(keys: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [at, key] of keys.entries()) if (values[at] !== undefined) made[key] = values[at];
  return made;
}

/** Names that cannot be keys, or mean something to the interpreter. */
export const reserved: ReadonlySet<unknown> = new Set(['__proto__', '_jsonata_lambda', '_jsonata_function']);

/** The computed key of a field; undefined if it has none. */
export function keyOf(value: unknown): string | undefined {
  if (value !== undefined && (typeof value !== 'string' || reserved.has(value))) throw bail;
  return value;
}

/** Keys that occur twice would be grouped. */
export function different(keys: readonly (string | undefined)[]): void {
  const given = keys.filter((key) => key !== undefined);
  if (new Set(given).size !== given.length) throw bail;
}

export function put(made: Record<string, unknown>, key: string, value: unknown): void {
  if (value !== undefined) made[key] = value;
}

/** `$now()`, `$millis()` … */
export function chance(frame: Frame, name: 'now' | 'millis' | 'random' | 'uuid'): unknown {
  const from: Chance = frame.chance;
  if (name === 'millis') return from.now();
  if (name !== 'now') return from[name]();
  const date = new Date(from.now());
  const year = date.getUTCFullYear();
  if (!(year >= 1000 && year <= 9999)) throw bail;
  return date.toISOString();
}
