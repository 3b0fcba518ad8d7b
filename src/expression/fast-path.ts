import type { Node, Stage } from './ast.ts';
import { literal, notFast, type Place, type Source } from './fast-source.ts';

/** How the parts of a path, which are expressions again, are written. */
export interface Writer {
  readonly write: (node: Node, place: Place, result?: boolean) => string;
  readonly writeOpen: (node: Node, place: Place, result: boolean) => string;
}

/**
 * The value under a name of what `subject` computes. It is read before it is known to be the object's own, and that at
 * this very place: so V8 learns what is read here, and what it knows of the object answers the question for its prototype.
 */
function writeMember(name: string, subject: string, place: Place): string {
  const key = literal(name);
  if (name in Object.prototype) return `member(${subject}, ${key})`;
  const object = place.temporary();
  const value = place.temporary();
  const isOrdinary = `(${value} = ${object}[${key}], prototypeOf(${object}) === ordinary)`;
  const isObject = `typeof (${object} = ${subject}) === "object" && ${object} !== null`;
  return `(${isObject} && ${isOrdinary} ? ${value} : member(${object}, ${key}))`;
}

function writeFilter(stage: Stage, place: Place, { write }: Writer): string {
  if (stage.type !== 'filter' || !stage.expr) throw notFast;
  const { expr } = stage;
  if (expr.type === 'number') return place.source.constant(`entry(${literal(expr.value)})`);
  const run = place.source.run(place.slots, (inner) => write(expr, inner));
  return place.source.constant(`where(${run})`);
}

const list = (source: Source, items: readonly string[]): string => source.constant(`[${items.join(', ')}]`);

/** The list of predicates. */
export const writeFilters = (stages: readonly Stage[], place: Place, writer: Writer): string =>
  list(
    place.source,
    stages.map((stage) => writeFilter(stage, place, writer)),
  );

const isName = (node: Node): boolean => node.type === 'name' && (node.stages ?? []).length === 0;

function writeStep(node: Node, index: number, place: Place, writer: Writer, result: boolean): string {
  if (node.tuple || node.focus || node.index || node.ancestor || node.group) throw notFast;
  if (node.type === 'name') {
    if (node.predicate) throw notFast;
    return writeMember(String(node.value), 'c', place);
  }
  const isObject = node.type === 'unary' && node.value === '{';
  const isStart = node.type === 'variable' && index === 0;
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
  const step = (part: Node, index: number, inner: Place): string =>
    writeStep(part, index, inner, writer, result && index === parts.length - 1);
  const steps = list(
    source,
    parts.map((part, index) => {
      const run = source.run(slots, (inner) => step(part, index, inner));
      return `{ run: ${run}, filters: ${writeFilters(part.stages ?? [], place, writer)} }`;
    }),
  );
  const walk = (from: number, start: string): string => `walk(${steps}, ${from}, f, ${start}, ${keep})`;

  // The first step is evaluated once, on the context; the common case then follows names from object to object.
  function follow(value: string, next: number): string {
    const part = parts[next];
    if (!part) return `typeof ${value} === "object" ? whole(${value}) : ${value}`;
    const onward = place.temporary();
    const rest = isName(part)
      ? `(${onward} = ${writeMember(String(part.value), value, place)}, ${follow(onward, next + 1)})`
      : walk(next, `[${value}]`);
    return `${value} === undefined ? undefined : isList(${value}) ? ${walk(next, value)} : ${rest}`;
  }

  const start = place.temporary();
  const path =
    (first.stages ?? []).length > 0 || keep
      ? walk(0, '[c]')
      : `(${start} = ${step(first, 0, place)}, ${follow(start, 1)})`;
  return first.type === 'variable' ? path : `(isList(c) ? giveUp() : ${path})`;
}
