import type { Focus } from './builtin.ts';
import { chanceOf, meterOf, problem } from './builtin.ts';

type Comparator = (this: Focus, a: unknown, b: unknown) => unknown;

const allOf = (list: readonly unknown[], type: string): boolean => list.every((item) => typeof item === type);

const ascending = (a: unknown, b: unknown): number => {
  const [first, second] = [a as number, b as number];
  return first > second ? 1 : first < second ? -1 : 0;
};

/** A stable merge sort, as the library's, without its quadratic copies; true means: in the wrong order. */
export async function sort(this: Focus, list: readonly unknown[] | undefined, comparator?: Comparator) {
  if (list === undefined || list.length <= 1) return list;
  if (comparator) return mergeSort(list, (a, b) => Reflect.apply(comparator, this, [a, b]));
  const finite = list.every((item) => typeof item === 'number' && Number.isFinite(item));
  if (!finite && !allOf(list, 'string')) throw problem('D3070', { index: 1 });
  return list.toSorted(ascending);
}

async function mergeSort(list: readonly unknown[], wrong: (a: unknown, b: unknown) => unknown): Promise<unknown[]> {
  let from = [...list];
  let to = new Array<unknown>(from.length);
  for (let width = 1; width < from.length; width *= 2) {
    for (let start = 0; start < from.length; start += 2 * width) {
      const middle = Math.min(start + width, from.length);
      const end = Math.min(start + 2 * width, from.length);
      let left = start;
      let right = middle;
      for (let at = start; at < end; at += 1) {
        const takeRight = left >= middle || (right < end && (await wrong(from[left], from[right])));
        to[at] = takeRight ? from[right++] : from[left++];
      }
    }
    [from, to] = [to, from];
  }
  return from;
}

/** A text that is equal for deeply equal values. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  const keys = Object.keys(value).sort();
  const record = value as Readonly<Record<string, unknown>>;
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(record[key])}`).join(',')}}`;
}

export async function distinct(this: Focus, list: unknown): Promise<unknown> {
  if (!Array.isArray(list) || list.length <= 1) return list;
  const meter = meterOf(this.environment);
  const isSequence = (list as unknown as { readonly sequence?: unknown }).sequence === true;
  const results = isSequence ? this.createSequence() : [];
  const seen = new Set<unknown>();
  for (const item of list) {
    const isObject = typeof item === 'object' && item !== null;
    const key = isObject ? canonical(item) : item;
    const marked = isObject ? `o${key}` : typeof key === 'string' ? `s${key}` : key;
    if (seen.has(marked)) continue;
    seen.add(marked);
    results.push(item);
    const pause = isObject ? meter.tick() : undefined;
    if (pause) await pause;
  }
  return results;
}

export function spread(this: Focus, value: unknown): unknown {
  if (Array.isArray(value)) {
    const result: unknown[] = [];
    for (const item of value) {
      const one = spread.call(this, item);
      if (Array.isArray(one)) for (const part of one) result.push(part);
      else if (one !== undefined) result.push(one);
    }
    return result.length === 0 ? this.createSequence() : result;
  }
  if (typeof value !== 'object' || value === null || '_jsonata_lambda' in value) return value;
  const result = this.createSequence();
  for (const [key, part] of Object.entries(value)) {
    const one: Record<string, unknown> = Object.create(null);
    one[key] = part;
    result.push(one);
  }
  return result;
}

export function shuffle(this: Focus, list: readonly unknown[] | undefined): unknown {
  if (list === undefined || list.length <= 1) return list;
  const chance = chanceOf(this.environment);
  const result = [...list];
  for (let at = result.length - 1; at > 0; at -= 1) {
    const other = Math.floor(chance.random() * (at + 1));
    [result[at], result[other]] = [result[other], result[at]];
  }
  return result;
}

const extreme =
  (better: (a: number, b: number) => number) =>
  (list: readonly number[] | undefined): number | undefined => {
    if (list === undefined || list.length === 0) return undefined;
    return list.reduce(better);
  };

export const max = extreme((a, b) => Math.max(a, b));
export const min = extreme((a, b) => Math.min(a, b));

/** The copy that `|…|…|` changes. Without a prototype, so that no key of it can reach one. */
export function clone(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clone);
  if (typeof value !== 'object' || value === null) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return value;
  const copy: Record<string, unknown> = Object.create(null);
  for (const [key, part] of Object.entries(value)) {
    if (typeof part !== 'function') copy[key] = clone(part);
  }
  return copy;
}
