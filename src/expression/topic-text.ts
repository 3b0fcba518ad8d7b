import { failure } from '../errors.ts';
import { Segments } from './segments.ts';

const asTopic = (detail: string): Error => failure('validation', { detail: `a hole of the topic ${detail}` });

/** What no level of a topic name may hold (MQTT 5 §4.7.1, §4.7.3). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const forbidden = /[+#\u0000]/;

function levelText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const what = value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
  throw asTopic(`yielded ${what} where text was needed`);
}

/**
 * One value of a hole in a topic: part of one level; several levels from `$segments(…)`. What a message carries never adds
 * a level, an empty one or a wildcard; unlike in a URL there is no way to encode them.
 */
export function topicHole(value: unknown): string {
  const text = value instanceof Segments ? value.text : levelText(value);
  const levels = value instanceof Segments ? text.split('/') : [text];
  if (levels.includes('')) throw asTopic('left a level empty');
  const [found] = forbidden.exec(text) ?? [];
  if (found !== undefined) {
    throw asTopic(`yielded text with ${found === '\0' ? 'a NUL' : `\`${found}\``}, which no topic name can have`);
  }
  if (levels.some((level) => level.includes('/'))) {
    throw asTopic('yielded text with `/`, which would add a level: where that is meant write `$segments(…)`');
  }
  return text;
}
