/** What JSON.parse lets through and we do not: bottomless nesting, poisoned keys, integers that would be rounded. */
import { maxDepth } from './format.ts';

const openings = (text: string, atMost: number): number => {
  let count = 0;
  for (const opening of ['{', '[']) {
    for (let at = text.indexOf(opening); at >= 0 && count <= atMost; at = text.indexOf(opening, at + 1)) count += 1;
  }
  return count;
};

/**
 * Whether lists and maps are nested deeper than is read. A document with few of them costs nearly nothing, others one
 * pass over their UTF-8 (bytes are twice as fast to look at as characters).
 */
export function isDeeper(text: string, utf8: () => Uint8Array): boolean {
  const limit = maxDepth;
  if (text.length <= limit || openings(text, limit) <= limit) return false;
  const bytes = utf8();
  let depth = 0;
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i] ?? 0;
    if (byte === 0x22) {
      i += 1;
      for (let inner = bytes[i]; inner !== 0x22 && i < bytes.length; inner = bytes[i]) i += inner === 0x5c ? 2 : 1;
    } else if ((byte | 0x20) === 0x7b) {
      depth += 1;
      if (depth > limit) return true;
    } else if ((byte | 0x20) === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}

/** Whether the text may hold a key that reaches a prototype; an escaped key always has `\u00` in it. */
export const mayPoison = (text: string): boolean =>
  text.includes('__proto__') || text.includes('constructor') || text.includes('\\u00');

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

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/**
 * Whether a run of 16 digits or more stands where an integer may stand. Looks at every 16th character only, as no such
 * run fits between two of them; may say yes to digits inside a string, never no to an unsafe integer.
 */
export function mayHaveUnsafeInteger(text: string): boolean {
  for (let i = 15; i < text.length; i += 16) {
    if (!isDigit(text.charCodeAt(i))) continue;
    let start = i;
    while (start > 0 && isDigit(text.charCodeAt(start - 1))) start -= 1;
    let end = i + 1;
    while (isDigit(text.charCodeAt(end))) end += 1;
    if (end - start >= 16 && /^[\s:,[-]?$/.test(text.charAt(start - 1)) && /^[\s,\]}]?$/.test(text.charAt(end)))
      return true;
    i = end - 1;
  }
  return false;
}
