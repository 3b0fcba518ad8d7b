import type { Node, Stage } from './ast.ts';
import { literal, notFast, type Place, sequence } from './fast-source.ts';

/** How the parts of a path, which are expressions again, are written. */
export interface Writer {
  readonly write: (node: Node, place: Place, result?: boolean) => string;
  readonly writeOpen: (node: Node, place: Place, result: boolean) => string;
}

/**
 * The value under a name of `object`, which is a variable. It is read first and asked afterwards whether it is the object's
 * own: at this very place, so that V8 learns what is read here, and with that has the answers to the questions.
 */
function writeMember(name: string, object: string, { source, temporary }: Place): string {
  const key = literal(name);
  const value = temporary();
  const ordinary = source.use('ordinary');
  const isObject = `typeof ${object} === "object" && ${object} !== null`;
  const isOwn = `${source.call('prototypeOf', object)} === ${ordinary} && !(${key} in ${ordinary})`;
  return `(${isObject} && (${value} = ${object}[${key}], ${isOwn}) ? ${value} : ${source.call('member', object, key)})`;
}

function writeFilter(stage: Stage, { source, slots }: Place, { write }: Writer): string {
  if (stage.type !== 'filter' || !stage.expr) throw notFast;
  const { expr } = stage;
  if (expr.type === 'number') return source.constant(source.call('entry', literal(expr.value)));
  const run = source.run(slots, (inner) => write(expr, inner));
  return source.constant(source.call('where', run));
}

/** Gives up where `$` is a list. */
export const unlessList = (written: string, { source }: Place): string =>
  `(${source.call('isList', 'c')} ? ${source.call('giveUp')} : ${written})`;

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
    const list = source.constant(`[${steps.slice(from).join(', ')}]`);
    return source.call('walk', list, 'f', start, String(keep));
  }

  // The first step is evaluated once, on the context; the common case then follows names from object to object.
  function follow(value: string, next: number): string {
    const part = parts[next];
    if (!part) return source.call('whole', value);
    const onward = place.temporary();
    const rest = isName(part)
      ? sequence(`${onward} = ${writeMember(String(part.value), value, place)}`, follow(onward, next + 1))
      : walk(next, `[${value}]`);
    const isList = source.call('isList', value);
    return `${value} === undefined ? undefined : ${isList} ? ${walk(next, value)} : ${rest}`;
  }

  function written(): string {
    if ((first?.stages ?? []).length > 0 || keep) return walk(0, '[c]');
    const value = step(first as Node, place);
    if (parts.length === 1) return source.call('whole', value);
    const start = place.temporary();
    return sequence(`${start} = ${value}`, follow(start, 1));
  }

  // It is followed from each entry where `$` is a list; the member of a list gives up by itself.
  return first.type === 'variable' || isName(first) ? written() : unlessList(written(), place);
}
