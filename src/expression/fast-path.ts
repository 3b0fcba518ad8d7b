import type { Node, Stage } from './ast.ts';
import type { Frame, Names, Run } from './fast-frame.ts';
import { notFast, visit } from './fast-frame.ts';
import { limits } from './limits.ts';
import { bail, finite, isList, member, truth } from './plain.ts';

type Filter = (frame: Frame, input: unknown) => readonly unknown[];

interface Step {
  /** The name, if the step is nothing but a name. */
  readonly name: string | undefined;
  readonly run: Run;
  readonly filters: readonly Filter[];
}

function compileIndex(value: number): Filter {
  const index = Math.floor(value);
  return (_frame, input) => {
    const list = isList(input) ? input : [input];
    const item = list[index < 0 ? list.length + index : index];
    if (isList(item)) throw bail;
    return item === undefined ? [] : [item];
  };
}

function compileFilter(stage: Stage, names: Names): Filter {
  if (stage.type !== 'filter' || !stage.expr) throw notFast;
  if (stage.expr.type === 'number') return compileIndex(Number(stage.expr.value));
  const run = names.compile(stage.expr, names);
  return (frame, input) => {
    const list = isList(input) ? input : [input];
    visit(frame, list.length);
    return list.filter((item, at) => {
      const wanted = run(frame, item);
      if (typeof wanted !== 'number') return truth(wanted);
      const index = Math.floor(finite(wanted));
      return (index < 0 ? list.length + index : index) === at;
    });
  };
}

// A list of one is its entry, an empty one is nothing: what JSONata makes of a sequence where a value is wanted.
const collapse = (list: readonly unknown[], keep: boolean): unknown =>
  list.length === 0 ? undefined : list.length === 1 && !keep ? list[0] : list;

/** A variable with predicates. */
export function filters(stages: readonly Stage[], run: Run, names: Names): Run {
  const compiled = stages.map((stage) => compileFilter(stage, names));
  return (frame, context) => {
    let value = run(frame, context);
    for (const filter of compiled) value = filter(frame, value);
    return isList(value) ? whole(collapse(value, false)) : value;
  };
}

/** A value that leaves the expression must be one of ordinary objects. */
export function whole(value: unknown): unknown {
  if (typeof value === 'function') throw bail;
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null) throw bail;
  return value;
}

function compileStep(node: Node, index: number, names: Names, result: boolean): Step {
  if (node.tuple || node.focus || node.index || node.ancestor || node.group) throw notFast;
  const stages = (node.stages ?? []).map((stage) => compileFilter(stage, names));
  if (node.type === 'name') {
    if (node.predicate) throw notFast;
    const name = String(node.value);
    const run: Run = (_frame, context) => member(context, name);
    return { name: stages.length === 0 ? name : undefined, run, filters: stages };
  }
  const isObject = node.type === 'unary' && node.value === '{';
  const isStart = node.type === 'variable' && index === 0;
  if (!isObject && !isStart && node.type !== 'function' && node.type !== 'block') throw notFast;
  return { name: undefined, run: names.compileOpen(node, names, result && isObject), filters: stages };
}

function stepValue(step: Step, frame: Frame, item: unknown): { value: unknown; filtered: boolean } {
  let value = step.run(frame, item);
  for (const filter of step.filters) value = filter(frame, value);
  return { value, filtered: step.filters.length > 0 };
}

/** One step over a sequence, as JSONata does it: lists that the step yields are flattened, one level. */
function advance(step: Step, frame: Frame, items: readonly unknown[], last: boolean) {
  visit(frame, items.length);
  const found: unknown[] = [];
  if (last && items.length === 1) {
    const { value, filtered } = stepValue(step, frame, items[0]);
    if (isList(value) && !filtered) return { own: value };
    if (isList(value)) return { sequence: value };
    return { sequence: value === undefined ? [] : [value] };
  }
  let lists = 0;
  let single: readonly unknown[] | undefined;
  for (const item of items) {
    const { value, filtered } = stepValue(step, frame, item);
    if (value === undefined) continue;
    lists += 1;
    single = lists === 1 && isList(value) && !filtered ? value : undefined;
    if (isList(value)) for (const part of value) found.push(part);
    else found.push(value);
    if (found.length > limits.listLength) throw bail;
  }
  return last && single ? { own: single } : { sequence: found };
}

function walk(steps: readonly Step[], from: number, frame: Frame, start: readonly unknown[], keep: boolean) {
  let items = start;
  for (let at = from; at < steps.length; at += 1) {
    const step = steps[at];
    if (!step) break;
    const result = advance(step, frame, items, at === steps.length - 1);
    if (result.own) return result.own;
    items = result.sequence;
    if (items.length === 0) return undefined;
  }
  return whole(collapse(items, keep));
}

/** A location path over plain values. */
export function compilePath(node: Node, names: Names, result: boolean): Run {
  const parts = node.steps ?? [];
  const steps = parts.map((step, index) => compileStep(step, index, names, result && index === parts.length - 1));
  const keep = node.keepArray === true || node.keepSingletonArray === true;
  const [first] = steps;
  // A list of one that `[]` kept remembers it, and whatever looks at it would have to know.
  if (!first || node.predicate || (keep && !result)) throw notFast;
  const eachOfContext = parts[0]?.type !== 'variable';
  // The first step is evaluated once, on the context; the common case then follows names from object to object.
  return (frame, context) => {
    if (eachOfContext && isList(context)) throw bail;
    if (first.filters.length > 0 || keep) return walk(steps, 0, frame, [context], keep);
    let value = first.run(frame, context);
    for (let at = 1; at < steps.length; at += 1) {
      if (value === undefined) return undefined;
      const name = steps[at]?.name;
      if (isList(value)) return walk(steps, at, frame, value, keep);
      if (name === undefined) return walk(steps, at, frame, [value], keep);
      value = member(value, name);
    }
    return typeof value === 'object' ? whole(value) : value;
  };
}
