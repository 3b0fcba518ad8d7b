/** Compares what happened with what was expected. */
import { childPointer } from '../schema/node.ts';

export interface Difference {
  /** JSON pointer of the expectation, in the test file. */
  readonly pointer: string;
  /** What was compared, for people: `reply.body.total`. */
  readonly what: string;
  /** What is wrong, where two values side by side do not say it. */
  readonly message?: string;
  readonly expected?: unknown;
  readonly actual?: unknown;
}

/** Of maps only the keys that are expected are compared, unless `exactly`; lists have the same length. */
export function compare(
  expected: unknown,
  actual: unknown,
  pointer: string,
  what: string,
  exactly = false,
): readonly Difference[] {
  if (isMap(expected)) {
    if (!isMap(actual)) return [{ pointer, what, expected, actual }];
    const found = Object.entries(expected).flatMap(([key, value]) =>
      compare(
        value,
        Object.hasOwn(actual, key) ? actual[key] : undefined,
        childPointer(pointer, key),
        `${what}${member(key)}`,
        exactly,
      ),
    );
    const extra = exactly ? Object.keys(actual).filter((key) => !Object.hasOwn(expected, key)) : [];
    const more = extra.map((key) => ({
      pointer,
      what: `${what}${member(key)}`,
      message: 'is there, and is not expected',
      actual: actual[key],
    }));
    return [...found, ...more];
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return [{ pointer, what, expected, actual }];
    if (expected.length !== actual.length) {
      const message = `has ${items(actual.length)}, not ${expected.length}`;
      return [{ pointer, what, message, expected, actual }];
    }
    return expected.flatMap((item, index) =>
      compare(item, actual[index], childPointer(pointer, index), `${what}[${index}]`, exactly),
    );
  }
  return Object.is(expected, actual) || (expected === 0 && actual === 0) ? [] : [{ pointer, what, expected, actual }];
}

const member = (key: string): string => (/^[A-Za-z_][\w-]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`);
const items = (count: number): string => `${count} ${count === 1 ? 'item' : 'items'}`;

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
