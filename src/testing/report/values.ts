import type { PlacedDifference } from '../run.ts';

const longest = 400;

/** A value in one line, not for ever. */
export function inShort(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  const plain = oneLine(text);
  return plain.length <= longest ? plain : `${plain.slice(0, longest)}…`;
}

// A message may hold anything, and what is printed must not steer the terminal.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to take out
export const oneLine = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');

/** What is wrong, in a sentence. */
export function sentenceOf({ what, message, expected, actual }: PlacedDifference): string {
  if (message !== undefined) return oneLine(what === '' ? message : `${what} ${message}`);
  return `${what} must be ${inShort(expected)}, and is ${inShort(actual)}`;
}
