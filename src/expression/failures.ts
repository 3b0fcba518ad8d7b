import type { Failure } from '../errors.ts';
import { failure } from '../errors.ts';
import type { LibraryError } from './jsonata.ts';
import { LimitReached, limits } from './limits.ts';
import { NotAValue } from './normalise.ts';

const longest = 200;

export const shortened = (source: string): string =>
  source.length > longest ? `${source.slice(0, longest - 1)}…` : source;

const typeOf = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return (
    { object: 'an object', number: 'a number', string: 'text', boolean: 'a boolean' }[typeof value as string] ??
    'a function'
  );
};

const got = (error: LibraryError): string => `, not ${typeOf(error.value)}`;
const side = (which: string, needs: string) => (error: LibraryError) =>
  `the ${which} side of \`${error.token}\` must be ${needs}${got(error)}`;

// Types and positions only: a value of the message may be a secret.
const details: Readonly<Record<string, string | ((error: LibraryError) => string)>> = {
  D1001: 'a number is out of range (division by zero?)',
  D1002: (e) => `only a number can be negated${got(e)}`,
  T1003: (e) => `a key of an object must be text${got(e)}`,
  D1009: 'two entries of an object have the same key',
  D1013: 'a key of an object has a reserved name',
  T2001: side('left', 'a number'),
  T2002: side('right', 'a number'),
  T2003: side('left', 'a whole number'),
  T2004: side('right', 'a whole number'),
  T2007: (e) => `the order-by compares ${typeOf(e.value)} with ${typeOf(e.value2)}`,
  T2008: (e) => `an order-by sorts numbers or text${got(e)}`,
  T2009: (e) => `\`${e.token}\` compares ${typeOf(e.value)} with ${typeOf(e.value2)}`,
  T2010: (e) => `\`${e.token}\` compares numbers or text${got(e)}`,
  T2011: (e) => `the update of \`|…|\` must be an object${got(e)}`,
  T2012: (e) => `the deletion of \`|…|\` must be text or a list of texts${got(e)}`,
  D3030: (e) => `${typeOf(e.value)} cannot be turned into a number`,
  D3060: '$sqrt needs a number that is not negative',
  D3061: '$power yields a number that is out of range',
  D3100: 'the radix of $formatBase must be between 2 and 36',
  D3110: '$toMillis needs an ISO 8601 timestamp',
  D3130: 'the picture asks for a numbering that does not exist',
  D3132: 'the picture has an unknown component',
  D3133: 'the picture asks for the name of something that has no names',
  D3140: 'the text cannot be encoded as, or decoded from, a URL',
  T0410: (e) => `argument ${e.index} of $${e.token} has the wrong type: ${typeOf(e.value)}`,
  T0411: (e) => `$${e.token} is used on ${typeOf(e.value)}, which it cannot work on`,
  T0412: (e) => `argument ${e.index} of $${e.token} has entries of the wrong type`,
};

const limitCodes: Readonly<Record<string, string>> = {
  D1012: 'it took too long',
  D2014: `a list grew over ${limits.listLength} entries`,
  D2015: `a list grew over ${limits.listLength} entries`,
};

const at = (error: LibraryError): string =>
  typeof error.position === 'number' ? ` (before offset ${error.position})` : '';

function isLibraryError(thrown: unknown): thrown is LibraryError {
  return typeof thrown === 'object' && thrown !== null && typeof (thrown as LibraryError).code === 'string';
}

function detailOf(error: LibraryError): string {
  const known = details[error.code];
  if (typeof known === 'function') return known(error) + at(error);
  return (known ?? error.message ?? 'it cannot be evaluated') + at(error);
}

/** Whatever an evaluation threw, as the failure of the message. */
export function evaluationFailure(source: string, thrown: unknown): Failure {
  const expression = shortened(source);
  if (thrown instanceof LimitReached) return failure('expression-limit', { expression, detail: thrown.message });
  if (thrown instanceof RangeError) {
    return failure('expression-limit', { expression, detail: 'a value is too long or nested too deeply' });
  }
  if (thrown instanceof NotAValue) return failure('expression', { expression, detail: thrown.message });
  if (!isLibraryError(thrown)) {
    return failure('expression', { expression, detail: 'a value has a type it cannot work on' });
  }
  const limit = limitCodes[thrown.code];
  if (limit) return failure('expression-limit', { expression, detail: limit });
  return failure('expression', { expression, detail: detailOf(thrown) });
}
