import { failure } from '../errors.ts';
import { Segments } from './segments.ts';

const asSubject = (detail: string): Error => failure('validation', { detail: `a hole of the subject ${detail}` });

function tokenText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const what = value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
  throw asSubject(`yielded ${what} where text was needed`);
}

/**
 * One value of a hole in a subject of NATS: part of one token; several tokens from `$segments(…)`. What a message carries
 * never adds a token, an empty one or a wildcard: there is no way to encode them.
 */
export function subjectHole(value: unknown): string {
  const text = value instanceof Segments ? value.text : tokenText(value);
  const tokens = value instanceof Segments ? text.split('.') : [text];
  if (tokens.includes('')) throw asSubject('left a token empty');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  const [found] = /[*>\s\x00-\x1f\x7f]/.exec(text) ?? [];
  if (found !== undefined) {
    const what = found === '*' || found === '>' ? `\`${found}\`` : 'a blank or a control character';
    throw asSubject(`yielded text with ${what}, which no subject can have`);
  }
  if (tokens.some((token) => token.includes('.'))) {
    throw asSubject('yielded text with a dot, which would add a token: where that is meant write `$segments(…)`');
  }
  return text;
}
