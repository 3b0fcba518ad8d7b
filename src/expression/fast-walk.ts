import { type Frame, type Run, visit } from './fast-frame.ts';
import { limits } from './limits.ts';
import { bail, finite, isList, truth } from './plain.ts';

/** One predicate over what its step found: a list of what it lets through. */
export type Filter = (frame: Frame, input: unknown) => readonly unknown[];

export interface Step {
  readonly run: Run;
  readonly filters: readonly Filter[];
}

const position = (index: number, length: number): number => {
  const whole = Math.floor(finite(index));
  return whole < 0 ? length + whole : whole;
};

/** `[0]`, `[-1]`: one entry. */
export function entry(index: number): Filter {
  return (_frame, input) => {
    const list = isList(input) ? input : [input];
    const item = list[position(index, list.length)];
    if (isList(item)) throw bail;
    return item === undefined ? [] : [item];
  };
}

/** `[price > 5]`: the entries for which `run` is true, or is their index. */
export function where(run: Run): Filter {
  return (frame, input) => {
    const list = isList(input) ? input : [input];
    visit(frame, list.length);
    return list.filter((item, at) => {
      const wanted = run(frame, item);
      const isIn = typeof wanted === 'number' ? at === position(wanted, list.length) : truth(wanted);
      if (isIn && item === undefined) throw bail; // the interpreter keeps a nothing that passes
      return isIn;
    });
  };
}

/** A value that leaves the expression must be one of ordinary objects. */
export function whole(value: unknown): unknown {
  if (typeof value === 'function') throw bail;
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null) throw bail;
  return value;
}

// A list of one is its entry, an empty one is nothing: what JSONata makes of a sequence where a value is wanted.
const collapse = (list: readonly unknown[], keep: boolean): unknown =>
  list.length === 0 ? undefined : list.length === 1 && !keep ? list[0] : list;

/** A variable with predicates. */
export function filtered(frame: Frame, start: unknown, filters: readonly Filter[]): unknown {
  let value = start;
  for (const filter of filters) value = filter(frame, value);
  return isList(value) ? whole(collapse(value, false)) : value;
}

function stepValue(step: Step, frame: Frame, item: unknown): unknown {
  let value = step.run(frame, item);
  for (const filter of step.filters) value = filter(frame, value);
  return value;
}

/** One step over a sequence, as JSONata does it: lists that the step yields are flattened, one level. */
function advance(step: Step, frame: Frame, items: readonly unknown[], last: boolean) {
  visit(frame, items.length);
  const filtered = step.filters.length > 0;
  const found: unknown[] = [];
  if (last && items.length === 1) {
    const value = stepValue(step, frame, items[0]);
    if (isList(value)) return { own: !filtered, sequence: value };
    return { own: false, sequence: value === undefined ? found : [value] };
  }
  let lists = 0;
  let single: readonly unknown[] | undefined;
  for (const item of items) {
    const value = stepValue(step, frame, item);
    if (value === undefined) continue;
    lists += 1;
    single = lists === 1 && isList(value) && !filtered ? value : undefined;
    if (isList(value)) for (const part of value) found.push(part);
    else found.push(value);
    if (found.length > limits.listLength) throw bail;
  }
  return last && single ? { own: true, sequence: single } : { own: false, sequence: found };
}

/** The steps of a location path over what the steps before them found. */
export function walk(steps: readonly Step[], frame: Frame, start: readonly unknown[], keep: boolean): unknown {
  let items = start;
  for (const step of steps) {
    const { own, sequence } = advance(step, frame, items, step === steps.at(-1));
    if (own) return sequence;
    items = sequence;
    if (items.length === 0) return undefined;
  }
  return whole(collapse(items, keep));
}
