import { childPointer, isNothing, type MapEntry, type MapNode } from './node.ts';
import type { ReadContext, Trail } from './read-context.ts';
import { type Owner, takes } from './read-unknown.ts';
import type { Schema } from './schema.ts';
import { listed, titleOf } from './wording.ts';

/**
 * Moves keys that were written beside the key they belong under to where they belong, so that what is in them is read
 * all the same: one mistake, one message.
 */
export function adopt(node: MapNode, owner: Owner, context: ReadContext): MapNode {
  const moved = new Set<MapEntry>();
  const entries = node.entries.map((entry): MapEntry => {
    const { value } = entry;
    if (!isNothing(value) && value.kind !== 'map') return entry;
    const inner = owner.under(entry.key);
    const own = value.kind === 'map' ? value.entries : [];
    const children = node.entries.filter(
      (other) =>
        !owner.names.includes(other.key) &&
        !moved.has(other) &&
        !own.some((one) => one.key === other.key) &&
        takes(inner, other.key, context),
    );
    if (children.length === 0) return entry;
    for (const child of children) {
      moved.add(child);
      context.moved(childPointer(entry.value.pointer, child.key), child.value.pointer);
    }
    reportChildren(entry.key, children, node, context);
    return { key: entry.key, value: { kind: 'map', pointer: value.pointer, entries: [...own, ...children] } };
  });
  return moved.size === 0 ? node : { ...node, entries: entries.filter((entry) => !moved.has(entry)) };
}

/**
 * The same for a map of names, such as `flows`: a key of what stands under the names, or a step, is no name when nothing
 * in it looks like that.
 */
export function adoptIntoNamed(node: MapNode, schema: Schema, context: ReadContext, trail: Trail | undefined): MapNode {
  const inner = schema.additionalProperties;
  if (schema.keys !== 'name' || !inner?.properties) return node;
  if (isNameless(node, inner, context)) return withName(node, context);
  const entries: MapEntry[] = [];
  const adopted = new Map<string, MapEntry[]>();
  let after: string | undefined;
  for (const entry of node.entries) {
    const { key, value } = entry;
    const before = entries.at(-1);
    const isEmptied = before !== undefined && (isNothing(before.value) || adopted.has(before.key));
    const isChild = isEmptied && takes(inner, key, context);
    const elsewhere = isChild ? undefined : placeOf(entry, inner, context, trail);
    if (isNothing(value) && trail?.names.includes(key)) {
      report(entry, node, `\`${key}\` belongs further out, beside \`${trail.key}\``, context);
      after = key;
    } else if (elsewhere !== undefined) {
      if (elsewhere !== after) {
        report(entry, node, `\`${key}\` belongs under \`${elsewhere}\`: it is none of \`${trail?.key}\``, context);
      }
    } else if (!before || (!isChild && looksLike(entry, inner, context))) {
      entries.push(entry);
    } else if (takes(inner, key, context)) {
      adopted.set(before.key, [...(adopted.get(before.key) ?? []), entry]);
      context.moved(childPointer(before.value.pointer, key), value.pointer);
      entries.splice(-1, 1, withChild(before, entry));
    } else if (context.kinds.steps.has(key) && inner.properties['steps']) {
      const message = `\`${key}\` is a step: it belongs in the list under \`steps\` of a flow, as \`- ${key}:\``;
      report(entry, node, message, context);
    } else {
      entries.push(entry);
    }
  }
  for (const [name, children] of adopted) reportChildren(name, children, node, context);
  return { ...node, entries };
}

/** Whether all of it is what stands under a name. */
const isNameless = ({ entries }: MapNode, inner: Schema, context: ReadContext): boolean =>
  entries.length > 0 &&
  entries.every(
    ({ key, value }) =>
      takes(inner, key, context) &&
      !(value.kind === 'map' && value.entries.some((one) => takes(inner, one.key, context))),
  );

function withName(node: MapNode, context: ReadContext): MapNode {
  const keys = node.entries.map(({ key }) => `${key}: …`).join(', ');
  const message = `${titleOf(node.pointer)} has names in it: write \`some-name: { ${keys} }\``;
  context.report({ severity: 'error', code: 'missing-name', at: 'key', pointer: node.pointer, message });
  context.moved(childPointer(node.pointer, 'some-name'), node.pointer);
  return { ...node, entries: [{ key: 'some-name', value: node }] };
}

/** The map of names beside this one whose entries look like this: a flow among the endpoints. */
function placeOf(entry: MapEntry, inner: Schema, context: ReadContext, trail: Trail | undefined): string | undefined {
  const { value } = entry;
  if (!trail || value.kind !== 'map') return undefined;
  const fitting = (schema: Schema | undefined): number =>
    value.entries.filter((one) => takes(schema, one.key, context)).length;
  const here = fitting(inner);
  return trail.names.find((name) => {
    const other = trail.under(name);
    return other?.keys === 'name' && fitting(other.additionalProperties) > here;
  });
}

/** Whether something in the value is as it should be under a name; a value of another kind tells nothing. */
function looksLike({ key, value }: MapEntry, inner: Schema, context: ReadContext): boolean {
  if (!takes(inner, key, context) && value.kind !== 'map') return true;
  return value.kind === 'map' && value.entries.some((entry) => takes(inner, entry.key, context));
}

function withChild(parent: MapEntry, child: MapEntry): MapEntry {
  const { key, value } = parent;
  if (value.kind === 'map') return { key, value: { ...value, entries: [...value.entries, child] } };
  return isNothing(value) ? { key, value: { kind: 'map', pointer: value.pointer, entries: [child] } } : parent;
}

/** Keys that belong under one key, beside which they stand: one mistake. */
function reportChildren(name: string, children: readonly MapEntry[], node: MapNode, context: ReadContext): void {
  const [first, ...more] = children;
  const keys = listed(
    children.map(({ key }) => key),
    'and',
  );
  const them = more.length > 0 ? 'them' : 'it';
  const message = `${keys} ${more.length > 0 ? 'belong' : 'belongs'} under \`${name}\`: indent ${them} further`;
  if (first) report(first, node, message, context);
}

function report(entry: MapEntry, node: MapNode, message: string, context: ReadContext): void {
  const pointer = childPointer(node.pointer, entry.key);
  context.report({ severity: 'error', code: 'misplaced-key', at: 'key', pointer, message });
}
