import type { NameMode } from '../core/written.ts';
import { failure } from '../errors.ts';
import { Segments } from './segments.ts';

/** How a broker puts the names together by which it decides who gets a message. */
interface NameRule {
  /** What such a name is called, and a part of it. */
  readonly name: string;
  readonly part: string;
  /** Between parts. */
  readonly separator: string;
  /** What no part may hold. */
  readonly forbidden: RegExp;
  /** How names begin that are the broker's own. */
  readonly reserved: string;
  readonly longest: number;
}

const rules: Readonly<Record<NameMode, NameRule>> = {
  // MQTT 5 §4.7
  topic: {
    name: 'topic',
    part: 'level',
    separator: '/',
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    forbidden: /[+#\x00-\x1f\x7f]/,
    reserved: '$',
    longest: 65_535,
  },
  // NATS
  subject: {
    name: 'subject',
    part: 'token',
    separator: '.',
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    forbidden: /[*>\s\x00-\x1f\x7f]/,
    reserved: '$',
    longest: 65_535,
  },
  // AMQP 0-9-1, whatever the type of the exchange: the next one may be another
  'routing-key': {
    name: 'routing key',
    part: 'word',
    separator: '.',
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    forbidden: /[*#\x00-\x1f\x7f]/,
    reserved: 'amq.',
    longest: 255,
  },
  // Redis knows no parts; people, patterns and access rules do
  key: {
    name: 'name',
    part: 'part',
    separator: ':',
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    forbidden: /[\s\x00-\x1f\x7f]/,
    reserved: '__key',
    longest: 512,
  },
};

/** How people call what a template of this mode makes. */
export const nameOf = (mode: NameMode): string => rules[mode].name;

function textOf(value: unknown, { name }: NameRule): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const what = value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
  throw refused(name, `yielded ${what} where text was needed`);
}

const refused = (name: string, detail: string): Error =>
  failure('validation', { detail: `a hole of the ${name} ${detail}` });

/**
 * One value of a hole: part of one part of the name; several parts from `$segments(…)`. What a message carries never adds
 * a part, an empty one or a wildcard, for that could bring it to others; unlike in a URL there is no way to encode them.
 */
function holeText(value: unknown, rule: NameRule): string {
  const { name, part, separator, forbidden } = rule;
  const text = value instanceof Segments ? value.text : textOf(value, rule);
  const parts = value instanceof Segments ? text.split(separator) : [text];
  if (parts.includes('')) throw refused(name, `left a ${part} empty`);
  const [found] = forbidden.exec(text) ?? [];
  if (found !== undefined) {
    const what =
      found.trim() === '' || found < ' ' || found === '\x7f' ? 'a blank or a control character' : `\`${found}\``;
    throw refused(name, `yielded text with ${what}, which no ${name} can have`);
  }
  if (parts.some((one) => one.includes(separator))) {
    throw refused(
      name,
      `yielded text with \`${separator}\`, which would add a ${part}: where that is meant write \`$segments(…)\``,
    );
  }
  return text;
}

/** The name that the pieces make, each of which is text of the file or, where `isHole` says so, the value of a hole. */
export function nameText(mode: NameMode, found: readonly unknown[], isHole: (index: number) => boolean): string {
  const rule = rules[mode];
  const name = found.map((value, index) => (isHole(index) ? holeText(value, rule) : value)).join('');
  const { reserved, longest } = rule;
  // Only the file may name what belongs to the broker.
  if (name.startsWith(reserved) && !startsInFile(reserved, found, isHole)) {
    throw failure('validation', {
      detail: `a hole made the ${rule.name} begin with \`${reserved}\`, which belongs to the broker`,
    });
  }
  if (Buffer.byteLength(name) > longest) {
    throw failure('validation', { detail: `the ${rule.name} is longer than ${longest} bytes` });
  }
  return name;
}

/** Whether the file itself has written the whole beginning. */
function startsInFile(beginning: string, found: readonly unknown[], isHole: (index: number) => boolean): boolean {
  const [first] = found;
  return !isHole(0) && typeof first === 'string' && first.startsWith(beginning);
}
