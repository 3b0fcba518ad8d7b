/** JSON (RFC 8259) ⇄ a value. */
import { Failure, failure } from '../errors.ts';
import { decode } from './charset.ts';
import { type Format, maxDepth } from './format.ts';
import { isDeeper, mayBeOutOfRange, mayHaveUnsafeInteger, mayPoison, poisonedKey } from './json-check.ts';
import { exactNumbers } from './json-exact.ts';
import { locateMistake } from './json-locate.ts';

export type JsonOptions = { readonly indent?: number };

const malformed = (detail: string) => failure('malformed', { format: 'json', detail });
const tooDeep = () => malformed(`it is nested deeper than ${maxDepth} levels`);

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return mayHaveUnsafeInteger(text) || mayBeOutOfRange(text) ? JSON.parse(exactNumbers(text)) : value;
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    if (thrown instanceof RangeError) throw tooDeep();
    // Not as the cause: V8 quotes the body in its message, and bodies do not belong in logs.
    throw malformed(locateMistake(text));
  }
}

/**
 * The value of a JSON text. Integers beyond ±(2^53 − 1) become strings with all their digits, because a number would be
 * rounded; fractions and exponents are floating point as everywhere. Of a key given twice the last one counts. Refused:
 * invalid bytes, numbers that floating point has no room for, more than 200 levels, and the keys `__proto__` and `constructor.prototype`, however they are written.
 */
export const readJson = (bytes: Uint8Array, charset?: string): unknown => parseJson(decode(bytes, charset, 'json'));

export function parseJson(text: string): unknown {
  const value = parse(text);
  if (isDeeper(value, text)) throw tooDeep();
  const poisoned = mayPoison(text) ? poisonedKey(value) : undefined;
  if (poisoned !== undefined) throw malformed(`the key ${poisoned} is not allowed`);
  return value;
}

// V8 draws the circle over several lines; the first one says it.
function whyNotWritten(cause: unknown): string {
  if (cause instanceof RangeError) return 'it is nested too deeply';
  return cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
}

/** The JSON text of a value; `undefined` is `null`. Throws `malformed` for what JSON has no form for. */
export function writeJson(value: unknown, options?: JsonOptions): string {
  try {
    return JSON.stringify(value, undefined, options?.indent) ?? 'null';
  } catch (cause) {
    throw failure('malformed', { format: 'json', action: 'written', detail: whyNotWritten(cause) }, { cause });
  }
}

const options = {
  type: 'object',
  properties: {
    indent: { type: 'integer', minimum: 0, maximum: 10, description: 'Spaces a level when writing; none by default.' },
  },
} as const;

export const json: Format = {
  name: 'json',
  mediaType: 'application/json',
  options,
  matches: (mediaType) => mediaType === 'application/json' || mediaType.endsWith('+json'),
  read: (bytes, charset) => readJson(bytes, charset),
  write: (value, given?: JsonOptions) => writeJson(value, given),
};
