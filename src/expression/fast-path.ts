import type { Node, Stage } from './ast.ts';
import { literal, notFast, type Place } from './fast-source.ts';

/** How the parts of a path, which are expressions again, are written. */
export interface Writer {
  readonly write: (node: Node, place: Place, result?: boolean) => string;
  readonly writeOpen: (node: Node, place: Place, result: boolean) => string;
}

/**
 * The value under a name of `object`, which is a variable. It is read before it is known to be the object's own, and that
 * at this very place: so V8 learns what is read here, and what it knows of the object answers the question for its prototype.
 */
function writeMember(name: string, object: string, place: Place): string {
  const key = literal(name);
  if (name in Object.prototype) return `member(${object}, ${key})`;
  const value = place.temporary();
  const isObject = `typeof ${object} === "object" && ${object} !== null`;
  const isOrdinary = `(${value} = ${object}[${key}], prototypeOf(${object}) === ordinary)`;
  return `(${isObject} && ${isOrdinary} ? ${value} : member(${object}, ${key}))`;
}

function writeFilter(stage: Stage, place: Place, { write }: Writer): string {
  if (stage.type !== 'filter' || !stage.expr) throw notFast;
  const { expr } = stage;
  if (expr.type === 'number') return place.source.constant(`entry(${literal(expr.value)})`);
  const run = place.source.run(place.slots, (inner) => write(expr, inner));
  return place.source.constant(`where(${run})`);
}

/** The list of predicates. */
export function writeFilters(stages: readonly Stage[], place: Place, writer: Writer): string {
  const written = stages.map((stage) => writeFilter(stage, place, writer));
  return place.source.constant(`[${written.join(', ')}]`);
}

const isName = (node: Node): boolean => node.type === 'name' && (node.stages ?? []).length === 0;

function writeStep(node: Node, isFirst: boolean, place: Place, writer: Writer, result: boolean): string {
  if (node.tuple || node.focus || node.index || node.ancestor || node.group) throw notFast;
  if (node.type === 'name') {
    if (node.predicate) throw notFast;
    return writeMember(String(node.value), 'c', place);
  }
  const isObject = node.type === 'unary' && node.value === '{';
  const isStart = node.type === 'variable' && isFirst;
  if (!isObject && !isStart && node.type !== 'function' && node.type !== 'block') throw notFast;
  return writer.writeOpen(node, place, result && isObject);
}

/** A location path over plain values. */
export function writePath(node: Node, place: Place, writer: Writer, result: boolean): string {
  const { source, slots } = place;
  const parts = node.steps ?? [];
  const keep = node.keepArray === true || node.keepSingletonArray === true;
  const [first] = parts;
  // A list of one that `[]` kept remembers it, and whatever looks at it would have to know.
  if (!first || node.predicate || (keep && !result)) throw notFast;
  const step = (part: Node, inner: Place): string =>
    writeStep(part, part === first, inner, writer, result && part === parts.at(-1));

  const steps: string[] = [];
  const stepOf = (part: Node): string => {
    const run = source.run(slots, (inner) => step(part, inner));
    return `{ run: ${run}, filters: ${writeFilters(part.stages ?? [], place, writer)} }`;
  };

  /** What is left of the path, over a list. */
  function walk(from: number, start: string): string {
    for (let at = from; at < parts.length; at++) steps[at] ??= stepOf(parts[at] as Node);
    return `walk(${source.constant(`[${steps.slice(from).join(', ')}]`)}, f, ${start}, ${keep})`;
  }

  // The first step is evaluated once, on the context; the common case then follows names from object to object.
  function follow(value: string, next: number): string {
    const part = parts[next];
    if (!part) return `whole(${value})`;
    const onward = place.temporary();
    const rest = isName(part)
      ? `(${onward} = ${writeMember(String(part.value), value, place)}, ${follow(onward, next + 1)})`
      : walk(next, `[${value}]`);
    return `${value} === undefined ? undefined : isList(${value}) ? ${walk(next, value)} : ${rest}`;
  }

  const isWalked = (first.stages ?? []).length > 0 || keep;
  if (!isWalked && parts.length === 1) return onEach(first, `whole(${step(first, place)})`);
  const start = place.temporary();
  return onEach(first, isWalked ? walk(0, '[c]') : `(${start} = ${step(first, place)}, ${follow(start, 1)})`);
}

/** A path is followed from each entry where `$` is a list; a member of a list gives up by itself. */
const onEach = (first: Node, path: string): string =>
  first.type === 'variable' || isName(first) ? path : `(isList(c) ? giveUp() : ${path})`;
