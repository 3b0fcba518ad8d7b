import { asObject, bail, bounded, finite, isList, text, truth } from './plain.ts';
import { countCharacters, substring } from './text-functions.ts';

/** A function of the library on plain values; gives up on any argument it does not expect. */
export interface FastFunction {
  readonly min: number;
  readonly max: number;
  readonly apply: (a: unknown, b: unknown, c: unknown) => unknown;
}

type OnText = (value: string) => unknown;
type OnNumber = (value: number) => unknown;

const texts = (use: OnText): FastFunction => ({
  min: 1,
  max: 1,
  apply: (value) => {
    if (value === undefined) return undefined;
    if (typeof value !== 'string') throw bail;
    return use(value);
  },
});

const numbers = (use: OnNumber): FastFunction => ({
  min: 1,
  max: 1,
  apply: (value) => {
    if (value === undefined) return undefined;
    if (typeof value !== 'number') throw bail;
    return use(value);
  },
});

const pair = (use: (a: string, b: string) => unknown): FastFunction => ({
  min: 2,
  max: 2,
  apply: (a, b) => {
    if (typeof b !== 'string' || (a !== undefined && typeof a !== 'string')) throw bail;
    return a === undefined ? undefined : use(a, b);
  },
});

/** A function of a list of numbers; one number counts as a list. */
const over = (use: (list: readonly number[]) => unknown): FastFunction => ({
  min: 1,
  max: 1,
  apply: (value) => {
    if (value === undefined) return undefined;
    const list = isList(value) ? value : [value];
    for (const item of list) if (typeof item !== 'number' || !Number.isFinite(item)) throw bail;
    return use(list as readonly number[]);
  },
});

const total = (list: readonly number[]): number => {
  let sum = 0;
  for (const item of list) sum += item;
  return finite(sum);
};

const decimal = /^-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?$/;

function toNumber(value: unknown): unknown {
  if (value === undefined || typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'string' || value.length > 100 || !decimal.test(value)) throw bail;
  return finite(Number.parseFloat(value));
}

const shifted = (value: number, places: number): number => {
  const [digits, exponent = '0'] = String(value).split('e');
  return Number(`${digits}e${Number(exponent) + places}`);
};

/** To the nearest, halves to even; moved by text because multiplying would add errors. */
function round(value: unknown, places: unknown): unknown {
  if (places !== undefined && typeof places !== 'number') throw bail;
  if (value === undefined) return undefined;
  if (typeof value !== 'number') throw bail;
  const moved = places ? shifted(value, places) : value;
  let rounded = Math.round(moved);
  if (Math.abs(rounded - moved) === 0.5 && Math.abs(rounded % 2) === 1) rounded -= 1;
  const result = finite(places ? shifted(rounded, -places) : rounded);
  return result === 0 ? 0 : result; // never -0
}

function merge(value: unknown): unknown {
  if (value === undefined) return undefined;
  const made: Record<string, unknown> = {};
  for (const part of isList(value) ? value : [value]) {
    if (typeof part !== 'object' || part === null || isList(part)) throw bail;
    for (const [key, item] of Object.entries(asObject(part))) {
      if (key === '__proto__') throw bail;
      made[key] = item;
    }
  }
  return made;
}

function join(list: unknown, separator: unknown): unknown {
  if (separator !== undefined && typeof separator !== 'string') throw bail;
  if (list === undefined) return undefined;
  const items = isList(list) ? list : [list];
  let size = 0;
  for (const item of items) {
    if (typeof item !== 'string') throw bail;
    size += item.length + (separator?.length ?? 0);
  }
  if (size > 100_000) throw bail;
  return items.join(separator ?? '');
}

function cut(value: unknown, start: unknown, length: unknown): unknown {
  if (typeof start !== 'number' || (value !== undefined && typeof value !== 'string')) throw bail;
  if (length !== undefined && typeof length !== 'number') throw bail;
  return substring(value, start, length);
}

const before = (value: string, mark: string): string => {
  const at = value.indexOf(mark);
  return at < 0 ? value : value.slice(0, at);
};

const behind = (value: string, mark: string): string => {
  const at = value.indexOf(mark);
  return at < 0 ? value : value.slice(at + mark.length);
};

const one = (apply: (value: unknown) => unknown): FastFunction => ({ min: 1, max: 1, apply });

export const fastFunctions: ReadonlyMap<string, FastFunction> = new Map(
  Object.entries({
    exists: one((value) => value !== undefined),
    not: one((value) => (value === undefined ? undefined : !truth(value))),
    boolean: one((value) => (value === undefined ? undefined : truth(value))),
    string: one((value) => (value === undefined ? undefined : bounded(text(value)))),
    number: one(toNumber),
    count: one((value) => (value === undefined ? 0 : isList(value) ? value.length : 1)),
    uppercase: texts((value) => value.toUpperCase()),
    lowercase: texts((value) => value.toLowerCase()),
    length: texts(countCharacters),
    contains: pair((value, part) => value.includes(part)),
    substringBefore: pair(before),
    substringAfter: pair(behind),
    substring: { min: 2, max: 3, apply: cut },
    join: { min: 1, max: 2, apply: join },
    sum: over(total),
    average: over((list) => (list.length === 0 ? undefined : total(list) / list.length)),
    max: over((list) => (list.length === 0 ? undefined : list.reduce((a, b) => Math.max(a, b)))),
    min: over((list) => (list.length === 0 ? undefined : list.reduce((a, b) => Math.min(a, b)))),
    floor: numbers(Math.floor),
    ceil: numbers(Math.ceil),
    abs: numbers(Math.abs),
    round: { min: 1, max: 2, apply: round },
    merge: one(merge),
  } satisfies Record<string, FastFunction>),
);
