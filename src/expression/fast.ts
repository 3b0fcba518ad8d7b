/**
 * Compiles the common part of JSONata into closures, which run 25 to 230 times faster than the interpreter. What a
 * closure computes is what the interpreter would compute; wherever that is not certain it throws `bail`.
 */

import type { Node, Pair } from './ast.ts';
import { left, pairs } from './ast.ts';
import type { Chance } from './builtin.ts';
import { functionNames } from './builtins.ts';
import type { Names, Run } from './fast-frame.ts';
import { looked, notFast, visit } from './fast-frame.ts';
import { fastFunctions } from './fast-functions.ts';
import { compilePath, filters, whole } from './fast-path.ts';
import { limits } from './limits.ts';
import { bail, bounded, equal, finite, isList, numeric, text, truth } from './plain.ts';

const need = (node: Node | undefined): Node => {
  if (!node) throw notFast;
  return node;
};

const numericOperators: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};

const comparisons: Readonly<Record<string, (a: string | number, b: string | number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

function compileArithmetic(apply: (a: number, b: number) => number, first: Run, second: Run): Run {
  return (frame, context) => {
    const a = numeric(first(frame, context));
    const b = numeric(second(frame, context));
    return a === undefined || b === undefined ? undefined : finite(apply(a, b));
  };
}

const isComparable = (value: unknown): value is string | number =>
  typeof value === 'string' || (typeof value === 'number' && !Number.isNaN(value));

function compileComparison(apply: (a: string | number, b: string | number) => boolean, first: Run, second: Run): Run {
  return (frame, context) => {
    const a = first(frame, context);
    const b = second(frame, context);
    if (isComparable(a) && isComparable(b) && typeof a === typeof b) {
      looked(frame, a);
      return apply(a, b);
    }
    const silent = (a === undefined || isComparable(a)) && (b === undefined || isComparable(b));
    if (!silent || (a !== undefined && b !== undefined)) throw bail;
    return undefined;
  };
}

function compileEquality(same: boolean, first: Run, second: Run): Run {
  return (frame, context) => {
    const a = first(frame, context);
    const b = second(frame, context);
    if (a === undefined || b === undefined) return false;
    looked(frame, a);
    return equal(a, b) === same;
  };
}

function compileIn(first: Run, second: Run): Run {
  return (frame, context) => {
    const a = first(frame, context);
    const b = second(frame, context);
    if (a === undefined || b === undefined) return false;
    looked(frame, b);
    return isList(b) ? b.indexOf(a) >= 0 : a === b;
  };
}

function compileBinary(node: Node, names: Names): Run {
  const operator = String(node.value);
  const first = compile(need(left(node)), names);
  const second = compile(need(node.rhs), names);
  const arithmetic = Object.hasOwn(numericOperators, operator) ? numericOperators[operator] : undefined;
  if (arithmetic) return compileArithmetic(arithmetic, first, second);
  const comparison = Object.hasOwn(comparisons, operator) ? comparisons[operator] : undefined;
  if (comparison) return compileComparison(comparison, first, second);
  switch (operator) {
    case '=':
    case '!=':
      return compileEquality(operator === '=', first, second);
    case 'and':
      return (frame, context) => truth(first(frame, context)) && truth(second(frame, context));
    case 'or':
      return (frame, context) => truth(first(frame, context)) || truth(second(frame, context));
    case 'in':
      return compileIn(first, second);
    case '&':
      return (frame, context) => {
        const a = first(frame, context);
        const b = second(frame, context);
        return bounded((a === undefined ? '' : text(a)) + (b === undefined ? '' : text(b)));
      };
    default:
      throw notFast;
  }
}

function compileList(node: Node, names: Names, result: boolean): Run {
  const items = (node.expressions ?? []).map((item) => ({
    run: compile(item, names, result),
    whole: item.value === '[',
  }));
  return (frame, context) => {
    const list: unknown[] = [];
    visit(frame, items.length);
    for (const { run, whole } of items) {
      const value = run(frame, context);
      if (value === undefined) continue;
      if (whole || !isList(value)) list.push(value);
      else for (const item of value) list.push(item);
      if (list.length > limits.listLength) throw bail;
    }
    return list;
  };
}

const reserved = new Set(['__proto__', '_jsonata_lambda', '_jsonata_function']);

function compileObject(found: readonly Pair[], names: Names, result: boolean): Run {
  const entries = found.map(([key, value]) => ({ key: compile(key, names), value: compile(value, names, result) }));
  const fixed = found.map(([key]) => (key.type === 'string' ? String(key.value) : undefined));
  const simple = fixed.every((key) => key !== undefined && !reserved.has(key)) && new Set(fixed).size === fixed.length;
  if (simple) {
    const keys = fixed.map(String);
    const runs = entries.map((entry) => entry.value);
    return (frame, context) => {
      if (isList(context)) throw bail; // a list would be grouped
      visit(frame, runs.length);
      const made: Record<string, unknown> = {};
      for (let at = 0; at < runs.length; at += 1) {
        const value = runs[at]?.(frame, context);
        if (value !== undefined) made[keys[at] ?? ''] = value;
      }
      return made;
    };
  }
  return (frame, context) => {
    if (isList(context)) throw bail;
    visit(frame, entries.length);
    const keys = entries.map((entry) => {
      const key = entry.key(frame, context);
      if (key !== undefined && (typeof key !== 'string' || reserved.has(key))) throw bail;
      return key;
    });
    const given = keys.filter((key) => key !== undefined);
    if (new Set(given).size !== given.length) throw bail;
    const made: Record<string, unknown> = {};
    for (const [at, entry] of entries.entries()) {
      const key = keys[at];
      const value = key === undefined ? undefined : entry.value(frame, context);
      if (key !== undefined && value !== undefined) made[key] = value;
    }
    return made;
  };
}

function compileUnary(node: Node, names: Names, result: boolean): Run {
  if (node.value === '[') return compileList(node, names, result);
  if (node.value === '{') return compileObject(pairs(node), names, result);
  if (node.value !== '-') throw notFast;
  const run = compile(need(node.expression), names);
  return (frame, context) => {
    const value = numeric(run(frame, context));
    return value === undefined ? undefined : -value;
  };
}

function compileCondition(node: Node, names: Names, result: boolean): Run {
  const condition = compile(need(node.condition), names);
  const then = compile(need(node.then), names, result);
  const otherwise = node.else ? compile(node.else, names, result) : () => undefined;
  return (frame, context) => (truth(condition(frame, context)) ? then(frame, context) : otherwise(frame, context));
}

function compileBlock(node: Node, outer: Names, result: boolean): Run {
  let names = outer;
  const last = node.expressions?.at(-1);
  const runs = (node.expressions ?? []).map((expression) => {
    if (expression.type !== 'bind') return compile(expression, names, result && expression === last);
    const value = compile(need(expression.rhs), names);
    const slot = names.counter.next++;
    names = { ...names, slots: new Map([...names.slots, [String(left(expression)?.value), slot]]) };
    const bind: Run = (frame, context) => {
      frame.locals[slot] = value(frame, context);
      return frame.locals[slot];
    };
    return bind;
  });
  const [only] = runs;
  if (runs.length === 1 && only) return only;
  return (frame, context) => {
    let value: unknown;
    for (const run of runs) value = run(frame, context);
    return value;
  };
}

const chances: Readonly<Record<string, (chance: Chance) => unknown>> = {
  now: (chance) => {
    const date = new Date(chance.now());
    const year = date.getUTCFullYear();
    if (!(year >= 1000 && year <= 9999)) throw bail;
    return date.toISOString();
  },
  millis: (chance) => chance.now(),
  random: (chance) => chance.random(),
  uuid: (chance) => chance.uuid(),
};

function compileCall(node: Node, names: Names): Run {
  const { procedure } = node;
  const name = String(procedure?.value);
  if (procedure?.type !== 'variable' || procedure.predicate || names.slots.has(name)) throw notFast;
  const given = (node.arguments ?? []).map((argument) => compile(argument, names));
  const chance = Object.hasOwn(chances, name) ? chances[name] : undefined;
  if (chance && given.length === 0) return (frame) => chance(frame.chance);
  const known = fastFunctions.get(name);
  if (!known || given.length < known.min || given.length > known.max) throw notFast;
  const { apply } = known;
  const [first, second, third] = given;
  if (!first) throw notFast;
  return (frame, context) => {
    const subject = first(frame, context);
    looked(frame, subject);
    return apply(subject, second?.(frame, context), third?.(frame, context));
  };
}

function compileVariable(node: Node, names: Names): Run {
  const name = String(node.value);
  if (name === '') return (_frame, context) => context;
  if (name === '$') return (frame) => frame.body;
  const slot = names.slots.get(name);
  if (slot !== undefined) return (frame) => frame.locals[slot];
  if (functionNames.has(name)) throw notFast;
  return (frame) => frame.scope.variable(name);
}

function compileBare(node: Node, names: Names, result: boolean): Run {
  const { value } = node;
  switch (node.type) {
    case 'string':
    case 'number':
    case 'value':
      return () => value;
    case 'binary':
      return compileBinary(node, names);
    case 'unary':
      return compileUnary(node, names, result);
    case 'condition':
      return compileCondition(node, names, result);
    case 'block':
      return compileBlock(node, names, result);
    case 'function':
      return compileCall(node, names);
    default:
      throw notFast;
  }
}

/** The compiled form of a node as a step of a path, which sees to its own stages. */
function compileOpen(node: Node, names: Names, result: boolean): Run {
  if (node.predicate && node.type !== 'variable') throw notFast;
  const run = node.type === 'variable' ? compileVariable(node, names) : compileBare(node, names, result);
  return node.predicate ? filters(node.predicate, run, names) : run;
}

/**
 * The compiled form of a node that stands alone, its predicates included; throws `notFast`. `result` says that its value
 * becomes the result, or a part of it, without being looked at again.
 */
function compile(node: Node, names: Names, result = false): Run {
  if (node.group || node.tuple || node.focus || node.index || node.ancestor) throw notFast;
  if (node.type === 'path') return compilePath(node, names, result);
  if (node.keepArray || node.stages) throw notFast;
  const run = compileOpen(node, names, result);
  return node.type === 'variable' && node.value !== '' ? (frame, context) => whole(run(frame, context)) : run;
}

/** The compiled form of an expression, or undefined if the interpreter has to do it. */
export function compileFast(ast: Node): Run | undefined {
  try {
    return compile(ast, { compile, compileOpen, slots: new Map(), counter: { next: 0 } }, true);
  } catch (thrown) {
    if (thrown === notFast) return undefined;
    throw thrown;
  }
}
