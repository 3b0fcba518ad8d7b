import { functionNames } from '../expression/expression.ts';
import { nearest } from '../schema/nearest.ts';

/** Functions of other languages: what they are called here, or what is written instead of them. */
const words: Readonly<Record<string, string>> = {
  upper: '$uppercase',
  toupper: '$uppercase',
  touppercase: '$uppercase',
  lower: '$lowercase',
  tolower: '$lowercase',
  tolowercase: '$lowercase',
  len: '$length',
  strlen: '$length',
  size: '$count',
  includes: '$contains',
  indexof: '$contains',
  matches: '$match',
  test: '$match',
  replaceall: '$replace',
  push: '$append',
  concat: '$append',
  unique: '$distinct',
  uniq: '$distinct',
  first: 'x[0]',
  last: 'x[-1]',
  slice: 'x[[0..2]]',
  flatten: '$reduce(x, $append)',
  avg: '$average',
  mean: '$average',
  int: '$number',
  parseint: '$number',
  parsefloat: '$number',
  tonumber: '$number',
  str: '$string',
  tostring: '$string',
  stringify: '$string',
  tojson: '$string',
  json: '$string',
  isnull: 'x = null',
  isempty: '$count(x) = 0',
  empty: '$count(x) = 0',
  has: '$exists',
  defined: '$exists',
  if: 'a ? b : c',
  iif: 'a ? b : c',
  coalesce: 'a ?? b',
  default: 'a ?? b',
  ifnull: 'a ?? b',
  date: '$now',
  today: '$now',
  timestamp: '$millis',
  foreach: '$map',
  find: '$filter(x, f)[0]',
  base64: '$base64encode',
  urlencode: '$encodeUrlComponent',
  encodeuricomponent: '$encodeUrlComponent',
  guid: '$uuid',
  newguid: '$uuid',
};

/** What to write for a function that does not exist: a name with its dollar, or an expression that does the same. */
export function functionMeant(name: string): string | undefined {
  if (functionNames.has(name)) return `$${name}`;
  const plain = name.toLowerCase().replaceAll('_', '');
  const near = Object.hasOwn(words, plain) ? words[plain] : undefined;
  if (near !== undefined) return near;
  const close = nearest(name, functionNames);
  return close === undefined ? undefined : `$${close}`;
}
