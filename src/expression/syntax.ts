import { beforeRegex } from './holes.ts';
import type { LibraryError } from './jsonata.ts';
import { foreignSyntax } from './other-languages.ts';

/** The source is not an expression. `offset` counts characters from its start. */
export class ExpressionSyntaxError extends Error {
  override readonly name = 'ExpressionSyntaxError';
  readonly offset: number;
  /** How many characters are wrong. */
  readonly length: number;
  /** What to write instead of them. */
  readonly suggestion?: string;

  constructor(message: string, offset: number, length = 1, suggestion?: string) {
    super(message);
    this.offset = offset;
    this.length = length;
    if (suggestion !== undefined) this.suggestion = suggestion;
  }
}

// Habits from other languages: what stands there, what JSONata calls it.
const habits: readonly { readonly text: string; readonly write: string }[] = [
  { text: '===', write: '=' },
  { text: '!==', write: '!=' },
  { text: '==', write: '=' },
  { text: '<>', write: '!=' },
  { text: '&&', write: 'and' },
  { text: '||', write: 'or' },
  { text: '=>', write: 'function($x){ … }' },
  { text: '!', write: '$not(…)' },
];

const isString = (value: unknown): value is string => typeof value === 'string';
const quote = (token: unknown): string => (isString(token) ? `\`${token}\`` : String(token));
const described = (error: LibraryError): string =>
  error.token === undefined || error.token === '(end)' ? 'the end' : quote(error.token);

function habitAt(source: string, offset: number): ExpressionSyntaxError | undefined {
  for (const habit of habits) {
    for (let start = offset; start >= Math.max(0, offset - habit.text.length); start -= 1) {
      const found = source.startsWith(habit.text, start) && !(habit.text === '!' && source[start + 1] === '=');
      if (!found) continue;
      const { text, write } = habit;
      return new ExpressionSyntaxError(`Write \`${write}\` instead of \`${text}\``, start, text.length, write);
    }
  }
  return notBefore(source, offset);
}

// `not a`: an operator elsewhere, a function here.
function notBefore(source: string, offset: number): ExpressionSyntaxError | undefined {
  const [before] = /\bnot\s+$/.exec(source.slice(0, offset)) ?? [];
  if (before === undefined) return undefined;
  const [operand = ''] = /^\$?[\w.]+$|^\$?[\w.]+(?=\s+(?:and|or)\b|\s*\))/.exec(source.slice(offset)) ?? [];
  const write = operand === '' ? undefined : `$not(${operand})`;
  const start = offset - before.length;
  return new ExpressionSyntaxError(
    `Write \`${write ?? '$not(…)'}\`: \`not\` is a function`,
    start,
    write === undefined ? 3 : before.length + operand.length,
    write,
  );
}

// A regular expression without an end runs to the end of the source: it began at the last slash that could begin one.
function openingSlash(source: string): number | undefined {
  for (let at = source.lastIndexOf('/'); at >= 0; at = at > 0 ? source.lastIndexOf('/', at - 1) : -1) {
    if (beforeRegex.test(source.slice(0, at))) return at;
  }
  return undefined;
}

/** The library's position is behind the token; this is where it begins. */
function startOf(source: string, error: LibraryError): number {
  const position = Math.min(error.position ?? source.length, source.trimEnd().length);
  if (error.code === 'S0217') return Math.max(0, source.indexOf('%')); // its position is that of an operator before it
  if (error.code === 'S0302') return openingSlash(source) ?? position;
  const token = error.code === 'S0213' ? String(error.value) : error.token;
  if (!isString(token)) return position;
  const quoted = position - token.length - 2;
  if (quoted >= 0 && /["'`]/.test(source[quoted] ?? '') && source.startsWith(token, quoted + 1)) return quoted;
  const start = position - token.length;
  return start >= 0 && source.startsWith(token, start) ? start : position;
}

const messages: Readonly<Record<string, (error: LibraryError) => string>> = {
  S0101: () => 'This text has no closing quote',
  S0102: () => 'This number is out of range',
  S0103: (e) => `\\${e.token} is not an escape; write \\\\ for a backslash`,
  S0104: () => 'After \\u come four hexadecimal digits',
  S0105: () => 'This name has no closing backquote',
  S0106: () => 'This comment has no closing */',
  S0201: (e) =>
    e.token === ';'
      ? 'Several expressions stand in parentheses: `( $x := 1; $x + 1 )`'
      : `Expected an operator or the end, got ${described(e)}`,
  S0202: (e) => `Expected ${quote(e.value)}, got ${described(e)}`,
  S0203: (e) => `Expected ${quote(e.value)} before the end of the expression`,
  S0204: (e) => `${described(e)} is not an operator`,
  S0205: (e) => `Unexpected ${described(e)}`,
  S0206: (e) => `Unexpected ${described(e)}`,
  S0207: () => 'The expression ends where a value was expected',
  S0208: () => 'The parameters of a function are variables, such as $x',
  S0209: () => 'A predicate cannot follow a grouping',
  S0210: () => 'A step can have only one grouping',
  S0211: (e) =>
    e.token === '(end)' ? 'The expression ends where a value was expected' : `Expected a value, got ${described(e)}`,
  S0212: () => 'The left side of := is a variable, such as $x',
  S0213: (e) => `${String(e.value)} cannot be a step of a path; quote it: \`${String(e.value)}\``,
  S0214: (e) => `After ${described(e)} comes a variable, such as $x`,
  S0217: () => '% has no parent here',
  S0301: () => 'This regular expression is empty; a comment is written `/* … */`',
  S0302: () => 'This regular expression has no closing /',
};

const unterminated = new Set(['S0101', 'S0105', 'S0106']);

// Where the text began whose end was not found: the last quote that opened one.
function openingQuote(source: string): number | undefined {
  let open: number | undefined;
  for (let at = 0; at < source.length; at += 1) {
    const character = source[at];
    if (open !== undefined) {
      if (character === '\\' && source[open] !== '`') at += 1;
      else if (character === source[open]) open = undefined;
    } else if (character === '"' || character === "'" || character === '`') open = at;
  }
  return open;
}

/** The error for the author of the expression, in place of the library's. */
export function syntaxError(source: string, thrown: unknown): ExpressionSyntaxError {
  if (source.trim() === '') return new ExpressionSyntaxError('The expression is empty', 0);
  if (thrown instanceof SyntaxError) {
    return new ExpressionSyntaxError(`This regular expression is not valid: ${thrown.message}`, source.indexOf('/'));
  }
  if (thrown instanceof RangeError) return new ExpressionSyntaxError('The expression is nested too deeply', 0);
  const error = thrown as LibraryError;
  const offset = startOf(source, error);
  if (unterminated.has(error.code)) {
    const open = error.code === 'S0106' ? error.position : openingQuote(source);
    return new ExpressionSyntaxError(messages[error.code]?.(error) ?? 'Not terminated', open ?? offset);
  }
  const habit = habitAt(source, offset);
  if (habit) return habit;
  const foreign = foreignSyntax(source, offset);
  if (foreign) return new ExpressionSyntaxError(foreign.message, foreign.start, foreign.length, foreign.suggestion);
  const message = messages[error.code]?.(error) ?? error.message ?? 'This is not an expression';
  return new ExpressionSyntaxError(message, offset);
}
