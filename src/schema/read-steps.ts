import type { StepSource } from '../core/written.ts';
import { adopt } from './adopt.ts';
import { habit } from './habits.ts';
import { childPointer, describe, type MapEntry, type MapNode, type Node } from './node.ts';
import type { ReadNode } from './read.ts';
import { onTrial, type ReadContext, type Trail } from './read-context.ts';
import { fits } from './read-object.ts';
import { readExpression } from './read-scalar.ts';
import { namesKind, type Owner, reportUnknownKeys, trailTo } from './read-unknown.ts';
import type { Schema } from './schema.ts';
import { listed, mismatch, titleOf } from './wording.ts';

/** What may stand beside a step's kind. */
export const besideStep = {
  name: { type: 'string', description: 'Shown in logs, graphs, traces and tests.' },
  when: { type: 'string', format: 'expression', description: 'JSONata; the step is skipped unless it is `true`.' },
} as const satisfies Readonly<Record<string, Schema>>;

const besideSchemas: Readonly<Record<string, Schema>> = besideStep;

/** Reads a list of steps. A step whose kind is not known is left out: nothing can be said about what is in it. */
export function readSteps(
  node: Node,
  schema: Schema,
  context: ReadContext,
  trail: Trail | undefined,
  read: ReadNode,
): readonly StepSource[] {
  if (node.kind !== 'list') {
    reportNoList(node, schema, context);
    return [];
  }
  return node.items.flatMap((item) => readItem(item, context, trail, read));
}

function reportNoList(node: Node, schema: Schema, context: ReadContext): void {
  const step = node.kind === 'map' ? node.entries.find((entry) => context.kinds.steps.has(entry.key)) : undefined;
  const glued = node.kind === 'map' ? node.entries.find((entry) => /^-\w/.test(entry.key))?.key.slice(1) : undefined;
  const hint = step
    ? `. Write \`- ${step.key}:\``
    : glued !== undefined
      ? `. A space is missing after the \`-\`: \`- ${glued}:\``
      : isNamed(node, context)
        ? '. Write each without its name: `- `, and the step'
        : '';
  context.report({
    severity: 'error',
    code: 'wrong-type',
    pointer: node.pointer,
    message: `${mismatch(node, schema)}${hint}`,
  });
}

/** Steps that have names as in a map. */
const isNamed = (node: Node, context: ReadContext): boolean =>
  node.kind === 'map' &&
  node.entries.length > 0 &&
  node.entries.every(
    ({ value }) => value.kind === 'map' && value.entries.some(({ key }) => context.kinds.steps.has(key)),
  );

function readItem(node: Node, context: ReadContext, trail: Trail | undefined, read: ReadNode): readonly StepSource[] {
  if (node.kind !== 'map') reportNoMap(node, context);
  if (node.kind === 'list') {
    // Only for the names that they give: one dash too many shifts everything in them.
    const silent = onTrial(context).context;
    return node.items.flatMap((item) => readItem(item, silent, trail, read));
  }
  const step = node.kind === 'map' ? readStep(node, context, trail, read) : undefined;
  return step ? [step] : [];
}

function readStep(
  node: MapNode,
  context: ReadContext,
  trail: Trail | undefined,
  read: ReadNode,
): StepSource | undefined {
  const { steps } = context.kinds;
  const given: Owner = {
    node,
    names: [...Object.keys(besideStep), ...steps.keys()],
    under: (name) => (Object.hasOwn(besideStep, name) ? besideSchemas[name] : steps.get(name)),
    trail,
  };
  const item = adopt(node, given, context);
  const owner = { ...given, node: item };
  const isKind = (entry: MapEntry): boolean => steps.has(entry.key);
  const unknown = item.entries.filter((entry) => !owner.names.includes(entry.key));
  const meant = (
    item.entries.some(isKind) ? reportUnknownKeys(unknown, owner, context) : reportUnknownKind(unknown, owner, context)
  ).filter((entry) => fits(entry, owner, context, read));
  for (const { key, value } of meant) context.moved(childPointer(item.pointer, key), value.pointer);
  const entries = [...item.entries, ...meant];
  const [kind, ...otherKinds] = entries.filter(isKind);
  for (const other of otherKinds) reportSecond(kind, other, context);
  if (kind) return finish({ ...item, entries }, kind, owner, context, read);
  if (unknown.length === 0) reportNone(item, context);
  return undefined;
}

/** Without a kind, the first unknown key is taken for it, unless it is a word for what stands beside a kind. */
function reportUnknownKind(unknown: readonly MapEntry[], owner: Owner, context: ReadContext): readonly MapEntry[] {
  const beside = unknown.filter((entry) => habit(entry.key, Object.keys(besideStep)) !== undefined);
  const kinds = unknown.filter((entry) => !beside.includes(entry));
  const asKind = { ...owner, names: [...context.kinds.steps.keys()], code: 'unknown-step' };
  return [
    ...reportUnknownKeys(beside, owner, context),
    ...reportUnknownKeys(namesKind(kinds, asKind) ? kinds : kinds.slice(0, 1), asKind, context),
  ];
}

function finish(
  item: MapNode,
  kind: MapEntry,
  owner: Owner,
  context: ReadContext,
  read: ReadNode,
): StepSource | undefined {
  const schema = context.kinds.steps.get(kind.key);
  if (!schema) return undefined;
  const inner = trailTo(kind.key, { ...owner, names: Object.keys(besideStep) });
  const options = read(kind.value, schema, context, inner);
  const name = item.entries.find((entry) => entry.key === 'name')?.value;
  const when = item.entries.find((entry) => entry.key === 'when')?.value;
  const title = name && read(name, besideStep.name, context, inner);
  return {
    kind: kind.key,
    options,
    name: typeof title === 'string' ? title : undefined,
    when: when && readExpression(when, besideStep.when, context),
    pointer: item.pointer,
  };
}

function reportNoMap(item: Node, context: ReadContext): void {
  const kind = item.kind === 'scalar' && context.kinds.steps.has(item.text) ? item.text : undefined;
  const takesNothing = kind !== undefined && !context.kinds.steps.get(kind)?.required;
  const example = kind === undefined ? 'stop: {}' : `${kind}: ${takesNothing ? '{}' : '…'}`;
  const hint = item.kind === 'list' ? '. There is one `- ` too many' : '';
  context.report({
    severity: 'error',
    code: 'wrong-type',
    pointer: item.pointer,
    message: `${titleOf(item.pointer)} must be a step such as \`${example}\`; found ${describe(item)}${hint}`,
    suggestion: takesNothing ? example : undefined,
  });
}

function reportSecond(kind: MapEntry | undefined, other: MapEntry, context: ReadContext): void {
  context.report({
    severity: 'error',
    code: 'two-kinds',
    at: 'key',
    pointer: other.value.pointer,
    message: `One step has one kind, and this has \`${kind?.key}\` and \`${other.key}\`. Begin the second with \`- \``,
  });
}

function reportNone(item: MapNode, context: ReadContext): void {
  const kinds = [...context.kinds.steps.keys()];
  const beside = item.entries.map((entry) => entry.key);
  const found = beside.length > 0 ? `only ${listed(beside, 'and')}` : 'nothing';
  context.report({
    severity: 'error',
    code: 'missing-kind',
    pointer: item.pointer,
    at: 'key',
    message: `A step needs a kind: ${listed(kinds)}; found ${found}`,
  });
}
