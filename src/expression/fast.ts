/**
 * Compiles the common part of JSONata into JavaScript, which runs some hundred times faster than the interpreter. What it
 * computes is what the interpreter would compute; wherever that is not certain it throws `bail`.
 */

import type { Node, Pair } from './ast.ts';
import { left, pairs } from './ast.ts';
import { functionNames } from './builtins.ts';
import type { Run } from './fast-frame.ts';
import { fastFunctions } from './fast-functions.ts';
import { unlessList, type Writer, writeFilters, writePath } from './fast-path.ts';
import { reserved } from './fast-runtime.ts';
import { literal, notFast, type Place, Source, sequence } from './fast-source.ts';

const need = (node: Node | undefined): Node => {
  if (!node) throw notFast;
  return node;
};

function writeBinary(node: Node, place: Place): string {
  const { source } = place;
  const operator = String(node.value);
  const a = write(need(left(node)), place);
  const b = write(need(node.rhs), place);
  switch (operator) {
    case '+':
    case '-':
    case '*':
    case '/':
    case '%': {
      const [x, y] = [place.temporary(), place.temporary()];
      const result = source.call('finite', `${x} ${operator} ${y}`);
      return sequence(
        `${x} = ${source.call('numeric', a)}`,
        `${y} = ${source.call('numeric', b)}`,
        `${x} === undefined || ${y} === undefined ? undefined : ${result}`,
      );
    }
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const [x, y] = [place.temporary(), place.temporary()];
      const comparable = source.call('comparable', 'f', x, y);
      return sequence(`${x} = ${a}`, `${y} = ${b}`, `${comparable} ? ${x} ${operator} ${y} : undefined`);
    }
    case '=':
    case '!=':
      return source.call('equals', 'f', a, b, String(operator === '='));
    case 'and':
      return `(${source.call('truth', a)} && ${source.call('truth', b)})`;
    case 'or':
      return `(${source.call('truth', a)} || ${source.call('truth', b)})`;
    case 'in':
      return source.call('within', 'f', a, b);
    case '&':
      return source.call('joined', a, b);
    default:
      throw notFast;
  }
}

function writeList(node: Node, place: Place, result: boolean): string {
  const { source } = place;
  const made = place.temporary();
  const items = node.expressions ?? [];
  const included = items.map((item) =>
    source.call('include', made, write(item, place, result), String(item.value === '[')),
  );
  return sequence(source.call('visit', 'f', String(items.length)), `${made} = []`, ...included, made);
}

/** All values are there before the object is made, so that it is made at once, in its final shape. */
function writeFields(keys: readonly string[], values: readonly Node[], place: Place, result: boolean): string {
  const { source } = place;
  const held = values.map(() => place.temporary());
  const computed = values.map((value, at) => `${held[at]} = ${write(value, place, result)}`);
  const complete = held.map((value) => `${value} !== undefined`).join(' && ') || 'true';
  const fields = keys.map((key, at) => `${literal(key)}: ${held[at]}`).join(', ');
  const sparse = source.call('sparse', source.constant(literal(keys)), `[${held.join(', ')}]`);
  const made = `${complete} ? { ${fields} } : ${sparse}`;
  return sequence(source.call('visit', 'f', String(keys.length)), ...computed, made);
}

function writeComputedFields(found: readonly Pair[], place: Place, result: boolean): string {
  const { source } = place;
  const made = place.temporary();
  const fields = found.map(([key, value]) => ({ key, value, held: place.temporary() }));
  const keys = fields.map(({ key, held }) => `${held} = ${source.call('keyOf', write(key, place))}`);
  const put = fields.map(
    ({ value, held }) => `${held} === undefined || ${source.call('put', made, held, write(value, place, result))}`,
  );
  const different = source.call('different', `[${fields.map(({ held }) => held).join(', ')}]`);
  const visit = source.call('visit', 'f', String(found.length));
  return sequence(visit, ...keys, different, `${made} = {}`, ...put, made);
}

function writeObject(found: readonly Pair[], place: Place, result: boolean): string {
  const keys = found
    .map(([key]) => (key.type === 'string' ? String(key.value) : undefined))
    .filter((key) => key !== undefined);
  const isFixed =
    keys.length === found.length && new Set(keys).size === keys.length && !keys.some((key) => reserved.has(key));
  const values = found.map(([, value]) => value);
  const made = isFixed ? writeFields(keys, values, place, result) : writeComputedFields(found, place, result);
  return unlessList(made, place); // which would be grouped
}

function writeUnary(node: Node, place: Place, result: boolean): string {
  if (node.value === '[') return writeList(node, place, result);
  if (node.value === '{') return writeObject(pairs(node), place, result);
  if (node.value !== '-') throw notFast;
  return place.source.call('negative', write(need(node.expression), place));
}

function writeCondition(node: Node, place: Place, result: boolean): string {
  const condition = place.source.call('truth', write(need(node.condition), place));
  const then = write(need(node.then), place, result);
  const otherwise = node.else ? write(node.else, place, result) : 'undefined';
  return `(${condition} ? ${then} : ${otherwise})`;
}

function writeBlock(node: Node, outer: Place, result: boolean): string {
  let place = outer;
  const expressions = node.expressions ?? [];
  const parts = expressions.map((expression, at) => {
    if (expression.type !== 'bind') return write(expression, place, result && at === expressions.length - 1);
    const value = write(need(expression.rhs), place);
    const slot = place.source.slot();
    place = { ...place, slots: new Map([...place.slots, [String(left(expression)?.value), slot]]) };
    return `f.locals[${slot}] = ${value}`;
  });
  return parts.length === 0 ? 'undefined' : sequence(...parts);
}

const chances = new Set(['now', 'millis', 'random', 'uuid']);

function writeCall(node: Node, place: Place): string {
  const { procedure } = node;
  const name = String(procedure?.value);
  if (procedure?.type !== 'variable' || procedure.predicate || place.slots.has(name)) throw notFast;
  const [first, ...rest] = (node.arguments ?? []).map((argument) => write(argument, place));
  if (first === undefined && chances.has(name)) return place.source.call('chance', 'f', literal(name));
  const known = fastFunctions.get(name);
  if (!known || first === undefined || rest.length + 1 < known.min || rest.length + 1 > known.max) throw notFast;
  const subject = place.temporary();
  const apply = place.source.constant(`functions.get(${literal(name)}).apply`);
  const looked = place.source.call('looked', 'f', `${subject} = ${first}`);
  return sequence(looked, `${apply}(${[subject, ...rest].join(', ')})`);
}

function writeVariable(node: Node, place: Place): string {
  const name = String(node.value);
  if (name === '') return 'c';
  if (name === '$') return 'f.body';
  const slot = place.slots.get(name);
  if (slot !== undefined) return `f.locals[${slot}]`;
  if (functionNames.has(name)) throw notFast;
  return `f.scope.variable(${literal(name)})`;
}

function writeBare(node: Node, place: Place, result: boolean): string {
  switch (node.type) {
    case 'string':
    case 'number':
    case 'value':
      return literal(node.value);
    case 'binary':
      return writeBinary(node, place);
    case 'unary':
      return writeUnary(node, place, result);
    case 'condition':
      return writeCondition(node, place, result);
    case 'block':
      return writeBlock(node, place, result);
    case 'function':
      return writeCall(node, place);
    default:
      throw notFast;
  }
}

/** A node as a step of a path, which sees to its own stages. */
function writeOpen(node: Node, place: Place, result: boolean): string {
  if (node.predicate && node.type !== 'variable') throw notFast;
  const value = node.type === 'variable' ? writeVariable(node, place) : writeBare(node, place, result);
  if (!node.predicate) return value;
  return place.source.call('filtered', 'f', value, writeFilters(node.predicate, place, writer));
}

/**
 * A node that stands alone, its predicates included; throws `notFast`. `result` says that its value becomes the result, or
 * a part of it, without being looked at again.
 */
function write(node: Node, place: Place, result = false): string {
  if (node.group || node.tuple || node.focus || node.index || node.ancestor) throw notFast;
  if (node.type === 'path') return writePath(node, place, writer, result);
  if (node.keepArray || node.stages) throw notFast;
  const value = writeOpen(node, place, result);
  return node.type === 'variable' && node.value !== '' ? place.source.call('whole', value) : value;
}

const writer: Writer = { write, writeOpen };

/** The compiled form of an expression, or undefined if the interpreter has to do it. */
export function compileFast(ast: Node): Run | undefined {
  const source = new Source();
  try {
    return source.load(source.run(new Map(), (place) => write(ast, place, true)));
  } catch (thrown) {
    if (thrown === notFast) return undefined;
    throw thrown;
  }
}
