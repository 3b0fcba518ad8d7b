import type { NameMode, TemplateMode } from '../core/written.ts';
import { failure } from '../errors.ts';
import type { Expression, Scope } from './expression.ts';
import { compileExpression, ExpressionSyntaxError } from './expression.ts';
import { shortened } from './failures.ts';
import type { Hole } from './holes.ts';
import { pieces } from './holes.ts';
import { nameOf, nameText } from './name-text.ts';
import { put } from './normalise.ts';
import { assertPath, encodeHole } from './path-text.ts';
import { Segments } from './segments.ts';

export type { Hole } from './holes.ts';
export { holes } from './holes.ts';

type Path = readonly (string | number)[];

export interface TemplateExpression {
  readonly expression: Expression;
  /** Where in the value the string with the hole stands. */
  readonly path: Path;
  /** Where in that string the JSONata begins: what an offset of the expression counts from. */
  readonly offset: number;
}

export interface Template {
  /** Set when there is no hole anywhere. */
  readonly constant: { readonly value: unknown } | undefined;
  readonly expressions: readonly TemplateExpression[];
  readonly looksAtBody: boolean;
  evaluate(scope: Scope): unknown | Promise<unknown>;
}

export interface TemplateProblem {
  readonly path: Path;
  /** The problem is the key there, not its value. */
  readonly at?: 'key';
  /** Where in the string (or key) the problem is. */
  readonly offset: number;
  /** How many characters are wrong. */
  readonly length?: number;
  readonly message: string;
  /** What to write instead of them. */
  readonly suggestion?: string | undefined;
}

/** A value without holes, or a way to make one. */
type Part = { readonly constant: unknown } | { readonly make: (scope: Scope) => unknown };

interface Compilation {
  readonly expressions: TemplateExpression[];
  readonly problem: (problem: TemplateProblem) => void;
  readonly compile: (source: string) => Expression;
}

const isPromise = (value: unknown): value is Promise<unknown> => value instanceof Promise;

const after = <T>(value: unknown, next: (value: unknown) => T): T | Promise<T> =>
  isPromise(value) ? value.then(next) : next(value);

async function collectRest(parts: readonly Part[], scope: Scope, done: unknown[], first: unknown): Promise<unknown[]> {
  done.push(await first);
  for (const part of parts.slice(done.length)) done.push('make' in part ? await part.make(scope) : part.constant);
  return done;
}

/** Makes all parts, one after the other; without a promise as long as none of them needs one. */
function collect(parts: readonly Part[], scope: Scope): unknown[] | Promise<unknown[]> {
  const done: unknown[] = [];
  for (const part of parts) {
    const value = 'make' in part ? part.make(scope) : part.constant;
    if (isPromise(value)) return collectRest(parts, scope, done, value);
    done.push(value);
  }
  return done;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function compileHole({ start, source }: Hole, path: Path, into: Compilation): Expression | undefined {
  const offset = start + 3 + (source.length - source.trimStart().length);
  try {
    const expression = into.compile(source.trim());
    into.expressions.push({ expression, path, offset });
    return expression;
  } catch (error) {
    if (!(error instanceof ExpressionSyntaxError)) throw error;
    const { message, length, suggestion } = error;
    into.problem({ path, offset: offset + error.offset, length, message, suggestion });
    return undefined;
  }
}

/** The pieces of a string, its holes compiled. */
type Compiled = string | Expression;

function compilePieces(text: string, path: Path, into: Compilation): readonly Compiled[] {
  return pieces(text).flatMap((piece): readonly Compiled[] => {
    if ('text' in piece) return [piece.text];
    if ('hole' in piece) return [compileHole(piece.hole, path, into) ?? ''];
    into.problem({ path, offset: piece.unterminated, length: 3, message: 'This hole has no closing `}}`' });
    return [];
  });
}

const noValue = (expression: Expression): Error => failure('no-value', { expression: shortened(expression.source) });

/** The pieces as parts; each hole must yield something. */
function partsOf(compiled: readonly Compiled[]): readonly Part[] {
  return compiled.map((piece): Part => {
    if (typeof piece === 'string') return { constant: piece };
    const present = (value: unknown): unknown => {
      if (value === undefined) throw noValue(piece);
      return value;
    };
    return { make: (scope) => after(piece.evaluate(scope), present) };
  });
}

const plain = (value: unknown): unknown => (value instanceof Segments ? value.text : value);

function compileString(text: string, path: Path, into: Compilation): Part {
  if (!text.includes('${{')) return { constant: text };
  const compiled = compilePieces(text, path, into);
  const [only] = compiled;
  if (compiled.length === 1 && typeof only === 'object') {
    return { make: (scope) => after(only.evaluate(scope), plain) };
  }
  if (compiled.every((piece) => typeof piece === 'string')) return { constant: compiled.join('') };
  const join = (found: unknown): string => (found as unknown[]).map((value) => textOf(plain(value))).join('');
  const parts = partsOf(compiled);
  return { make: (scope) => after(collect(parts, scope), join) };
}

const isConstant = (part: Part): part is { readonly constant: unknown } => 'constant' in part;

function compileList(list: readonly unknown[], path: Path, into: Compilation): Part {
  const parts = list.map((item, index) => compileValue(item, [...path, index], into));
  if (parts.every(isConstant)) return { constant: parts.map((part) => part.constant) };
  const present = (found: unknown): unknown => (found as unknown[]).filter((value) => value !== undefined);
  return { make: (scope) => after(collect(parts, scope), present) };
}

function compileMap(map: object, path: Path, into: Compilation): Part {
  const keys = Object.keys(map);
  for (const key of keys) {
    const offset = key.indexOf('${{');
    if (offset < 0) continue;
    into.problem({
      path: [...path, key],
      at: 'key',
      offset,
      message: 'A key cannot hold a hole; make the whole map one',
    });
  }
  const parts = Object.entries(map).map(([key, value]) => compileValue(value, [...path, key], into));
  const build = (found: unknown): unknown => {
    const made: Record<string, unknown> = {};
    for (const [index, value] of (found as unknown[]).entries()) {
      if (value !== undefined) put(made, keys[index] ?? '', value);
    }
    return made;
  };
  if (parts.every(isConstant)) return { constant: build(parts.map((part) => part.constant)) };
  return { make: (scope) => after(collect(parts, scope), build) };
}

function compileValue(value: unknown, path: Path, into: Compilation): Part {
  if (typeof value === 'string') return compileString(value, path, into);
  if (typeof value !== 'object' || value === null) return { constant: value };
  return Array.isArray(value) ? compileList(value, path, into) : compileMap(value, path, into);
}

const isText = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);

function segmentText(value: unknown): string {
  if (isText(value)) return String(value);
  const what = value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
  throw failure('bad-request', { detail: `a hole of the path yielded ${what} where text was needed`, sent: false });
}

/** Nothing to encode, and no segment of dots whatever stands beside it. */
const harmless = /^[\w.~-]*[\w~-][\w.~-]*$/;

const countSlashes = (text: string): number => text.split('/').length - 1;

function buildPath(compiled: readonly Compiled[], found: readonly unknown[]): string {
  let path = '';
  let touched: Set<number> | undefined;
  for (let index = 0; index < found.length; index++) {
    const value = found[index];
    if (typeof compiled[index] === 'string') {
      path += value;
      continue;
    }
    const text = typeof value === 'number' ? String(value) : value;
    if (typeof text === 'string' && harmless.test(text)) {
      path += text;
      continue;
    }
    const first = countSlashes(path);
    const inPath = !/[?#]/.test(path);
    path += encodeHole(value, segmentText);
    const last = countSlashes(path);
    touched ??= new Set();
    for (let at = first; inPath && at <= last; at += 1) touched.add(at);
  }
  if (touched) assertPath(path, touched);
  return path;
}

const buildName =
  (mode: NameMode): typeof buildPath =>
  (compiled, found) =>
    nameText(mode, found, (index) => typeof compiled[index] !== 'string');

/** Text with holes that decide about more than text. */
function compileText(value: unknown, what: string, build: typeof buildPath, into: Compilation): Part {
  if (typeof value !== 'string') {
    into.problem({ path: [], offset: 0, message: `A ${what} is text` });
    return { constant: undefined };
  }
  const compiled = compilePieces(value, [], into);
  if (compiled.every((piece) => typeof piece === 'string')) return { constant: compiled.join('') };
  const parts = partsOf(compiled);
  return { make: (scope) => after(collect(parts, scope), (found) => build(compiled, found as unknown[])) };
}

function compileMode(mode: TemplateMode, value: unknown, into: Compilation): Part {
  if (mode === 'value') return compileValue(value, [], into);
  if (mode === 'path') return compileText(value, mode, buildPath, into);
  return compileText(value, nameOf(mode), buildName(mode), into);
}

/**
 * Compiles any value whose strings may hold `${{ JSONata }}`. In mode `path` the value is a string whose holes are
 * percent-encoded, one segment each; in the mode of a name (of a broker) one whose holes must each be part of one of its
 * parts. Everything wrong is told to `problem`; the template is then not to be used.
 */
export function compileTemplate(
  value: unknown,
  mode: TemplateMode,
  problem: (problem: TemplateProblem) => void,
  compile: (source: string) => Expression = compileExpression,
): Template {
  const into: Compilation = { expressions: [], problem, compile };
  const part = compileMode(mode, value, into);
  const { expressions } = into;
  return {
    constant: isConstant(part) ? { value: part.constant } : undefined,
    expressions,
    looksAtBody: expressions.some(({ expression }) => expression.looksAtBody),
    evaluate: (scope) => (isConstant(part) ? part.constant : part.make(scope)),
  };
}
