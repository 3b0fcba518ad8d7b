import { needsWatch } from '../expression/regex.ts';

/** Patterns of JSON Schema are those of ECMAScript; only those that need the flag get `u`, which rules the linear engine out. */
export const patternOf = (pattern: string): RegExp => new RegExp(pattern, /\\[pP]\{|\\u\{/.test(pattern) ? 'u' : '');

/** Whether some pattern of the schema may backtrack without end on the text of a message. */
export function mayBacktrack(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false;
  return Object.entries(schema).some(([key, value]) => {
    if (key === 'pattern' && typeof value === 'string') return isSlow(value);
    const keys = key === 'patternProperties' && typeof value === 'object' && value !== null ? Object.keys(value) : [];
    return keys.some(isSlow) || mayBacktrack(value);
  });
}

function isSlow(pattern: string): boolean {
  try {
    return needsWatch(patternOf(pattern));
  } catch {
    return false; // no pattern at all: compiling the schema says so
  }
}
