/** What JSON.parse lets through and we do not: bottomless nesting, poisoned keys, integers that would be rounded. */
import { maxDepth } from './format.ts';

const openings = (text: string, atMost: number): number => {
  let count = 0;
  for (const opening of ['{', '[']) {
    for (let at = text.indexOf(opening); at >= 0 && count <= atMost; at = text.indexOf(opening, at + 1)) count += 1;
  }
  return count;
};

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;

function isNested(value: object, levels: number): boolean {
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((item: unknown) => isContainer(item) && isNested(item, levels - 1));
  for (const key in value) {
    const item: unknown = value[key as keyof typeof value];
    if (isContainer(item) && isNested(item, levels - 1)) return true;
  }
  return false;
}

/**
 * Whether lists and maps are nested deeper than is read. Looks at the value, which costs a fifth of a look at the text it
 * was parsed from; a document with few lists and maps costs nearly nothing.
 */
export function isDeeper(value: unknown, text: string): boolean {
  if (text.length <= maxDepth || openings(text, maxDepth) <= maxDepth) return false;
  return isContainer(value) && isNested(value, maxDepth);
}

/** Whether the text may hold a key that reaches a prototype; an escaped key always has `\u00` in it. */
export const mayPoison = (text: string): boolean => poison.test(text) || text.includes('\\u00');

// Three times as fast as two searches.
const poison = /__proto__|constructor/;

/** The key, if any, with which a careless merge of the value would change the prototype of every object. */
export function poisonedKey(value: unknown): string | undefined {
  const waiting = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next !== 'object' || next === null) continue;
    if (Object.hasOwn(next, '__proto__')) return '__proto__';
    for (const [key, inner] of Object.entries(next)) {
      if (typeof inner !== 'object' || inner === null) continue;
      if (key === 'constructor' && Object.hasOwn(inner, 'prototype')) return 'constructor.prototype';
      waiting.push(inner);
    }
  }
  return undefined;
}

/**
 * Whether a number of less than 16 digits before its exponent may be too large for floating point, which ends behind
 * 1.7e308.
 */
export const mayBeOutOfRange = (text: string): boolean => largeExponent.test(text);

const largeExponent = /\d[eE]\+?(?:29\d|[3-9]\d\d|[1-9]\d{3}|0\d\d)/;

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/**
 * Whether a run of 16 digits or more stands where an integer may stand, or the beginning of a large number. Looks at every 16th character only, as no such
 * run fits between two of them; may say yes to digits inside a string, never no to an unsafe integer.
 */
export function mayHaveUnsafeInteger(text: string): boolean {
  for (let i = 15; i < text.length; i += 16) {
    if (!isDigit(text.charCodeAt(i))) continue;
    let start = i;
    while (start > 0 && isDigit(text.charCodeAt(start - 1))) start -= 1;
    let end = i + 1;
    while (isDigit(text.charCodeAt(end))) end += 1;
    // So many digits are out of range, whatever follows them.
    if (end - start >= 309) return true;
    if (end - start >= 16 && /^[\s:,[-]?$/.test(text.charAt(start - 1)) && /^[\s,\]}eE.]?$/.test(text.charAt(end)))
      return true;
    i = end - 1;
  }
  return false;
}
