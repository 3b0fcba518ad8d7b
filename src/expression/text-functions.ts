import type { Focus } from './builtin.ts';
import { meterOf } from './builtin.ts';
import { watched } from './watchdog.ts';

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
const isPairAt = (text: string, at: number): boolean => isHigh(text.charCodeAt(at)) && isLow(text.charCodeAt(at + 1));

/** Characters, not code units; the library's own makes a list of them first. */
export function countCharacters(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (isPairAt(text, at)) at += 1;
    count += 1;
  }
  return count;
}

/** The code unit offset of a character. */
function offsetOf(text: string, character: number): number {
  let at = 0;
  for (let count = 0; count < character && at < text.length; count += 1) at += isPairAt(text, at) ? 2 : 1;
  return at;
}

// As Array.prototype.slice treats its bounds: truncated, counted from the end when negative.
const bound = (value: number, length: number): number => {
  const whole = Math.trunc(value);
  return whole < 0 ? Math.max(length + whole, 0) : Math.min(whole, length);
};

export function substring(text: string | undefined, start: number, length?: number): string | undefined {
  if (text === undefined) return undefined;
  const size = countCharacters(text);
  const first = size + start < 0 ? 0 : start;
  if (length !== undefined && length <= 0) return '';
  const from = bound(first, size);
  const to = length === undefined ? size : bound(first >= 0 ? first + length : size + first + length, size);
  if (size === text.length) return text.slice(from, Math.max(from, to));
  return text.slice(offsetOf(text, from), offsetOf(text, Math.max(from, to)));
}

export const length = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : countCharacters(text);

export function pad(this: Focus, text: string | undefined, width: number, filler?: string): string | undefined {
  if (text === undefined) return undefined;
  const fill = filler ? filler : ' ';
  const missing = Math.abs(Math.trunc(width)) - countCharacters(text);
  if (!(missing > 0)) return text;
  meterOf(this.environment).text(missing * fill.length);
  const repeated = fill.repeat(Math.ceil(missing / countCharacters(fill)));
  const padding = substring(repeated, 0, missing) ?? '';
  return width > 0 ? text + padding : padding + text;
}

export function join(this: Focus, texts: readonly string[] | undefined, separator = ''): string | undefined {
  if (texts === undefined) return undefined;
  let size = separator.length * Math.max(0, texts.length - 1);
  for (const text of texts) size += text.length;
  meterOf(this.environment).text(size);
  return texts.join(separator);
}

/** Parsing by picture builds a regular expression of its own, which knows no guard. */
export const underWatch =
  (original: (this: Focus, ...args: never[]) => unknown) =>
  (focus: Focus, args: readonly unknown[]): unknown =>
    watched(() => Reflect.apply(original, focus, args));
