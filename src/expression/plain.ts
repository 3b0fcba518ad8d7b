/**
 * The compiled form knows only plain values: the types of JSON and nothing. Anything else, anything that would be an
 * error, and everything that is rare makes it give up, and the interpreter does the whole evaluation again.
 */

import { limits } from './limits.ts';

/** Thrown, without a stack, to give up. */
export const bail: { readonly gaveUp: true } = { gaveUp: true };

export type Plain = Readonly<Record<string, unknown>>;

export const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** An object of JSON. */
export function asObject(value: object): Plain {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw bail;
  return value as Plain;
}

/** The value under a name; lists are not for here. */
export function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'function') throw bail;
    return undefined;
  }
  const object = asObject(value);
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Truth as JSONata casts it; nothing is not true. */
export function truth(value: unknown): boolean {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'undefined':
      return false;
    case 'string':
      return value !== '';
    case 'number':
      if (!Number.isFinite(value)) throw bail;
      return value !== 0;
    case 'object': {
      if (value === null) return false;
      if (isList(value)) throw bail;
      for (const key in asObject(value)) if (Object.hasOwn(value, key)) return true;
      return false;
    }
    default:
      throw bail;
  }
}

/** Text as `&` and `$string` make it of a value that is not nothing. */
export function text(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw bail;
      return String(Number.isInteger(value) ? value : Number(value.toPrecision(15)));
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      if (value === null) return 'null';
      throw bail;
  }
}

export function bounded(made: string): string {
  if (made.length > limits.textLength) throw bail;
  return made;
}

/** A number or nothing. */
export function numeric(value: unknown): number | undefined {
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value;
  throw bail;
}

export function finite(value: number): number {
  if (!Number.isFinite(value)) throw bail;
  return value;
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

export function equal(a: unknown, b: unknown): boolean {
  if (isObject(a) && isObject(b) && a !== b) throw bail; // deep equality is the interpreter's
  return a === b;
}
