import { childPointer, isNothing, type MapEntry, type MapNode } from './node.ts';
import type { ReadContext } from './read-context.ts';
import { type Owner, takes } from './read-unknown.ts';
import type { Schema } from './schema.ts';

/**
 * Moves keys that were written beside the key they belong under to where they belong, so that what is in them is read
 * all the same: one mistake, one message.
 */
export function adopt(node: MapNode, owner: Owner, context: ReadContext): MapNode {
  const moved = new Set<MapEntry>();
  const entries = node.entries.map((entry): MapEntry => {
    if (!isNothing(entry.value)) return entry;
    const inner = owner.under(entry.key);
    const children = node.entries.filter(
      (other) => !owner.names.includes(other.key) && !moved.has(other) && takes(inner, other.key, context),
    );
    if (children.length === 0) return entry;
    for (const child of children) {
      moved.add(child);
      context.moved(childPointer(entry.value.pointer, child.key), child.value.pointer);
      report(child, node, `\`${child.key}\` belongs under \`${entry.key}\`: indent it further`, context);
    }
    return { key: entry.key, value: { kind: 'map', pointer: entry.value.pointer, entries: children } };
  });
  return moved.size === 0 ? node : { ...node, entries: entries.filter((entry) => !moved.has(entry)) };
}

/**
 * The same for a map of names, such as `flows`: a key of what stands under the names, or a step, is no name when nothing
 * in it looks like that.
 */
export function adoptIntoNamed(node: MapNode, schema: Schema, context: ReadContext): MapNode {
  const inner = schema.additionalProperties;
  if (schema.keys !== 'name' || !inner?.properties) return node;
  const entries: MapEntry[] = [];
  for (const entry of node.entries) {
    const before = entries.at(-1);
    if (!before || looksLike(entry, inner, context)) {
      entries.push(entry);
    } else if (takes(inner, entry.key, context)) {
      report(entry, node, `\`${entry.key}\` belongs under \`${before.key}\`: indent it further`, context);
      context.moved(childPointer(before.value.pointer, entry.key), entry.value.pointer);
      entries.splice(-1, 1, withChild(before, entry));
    } else if (context.kinds.steps.has(entry.key) && inner.properties['steps']) {
      const message = `\`${entry.key}\` is a step: it belongs in the list under \`steps\` of a flow, as \`- ${entry.key}:\``;
      report(entry, node, message, context);
    } else {
      entries.push(entry);
    }
  }
  return { ...node, entries };
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

function report(entry: MapEntry, node: MapNode, message: string, context: ReadContext): void {
  const pointer = childPointer(node.pointer, entry.key);
  context.report({ severity: 'error', code: 'misplaced-key', at: 'key', pointer, message });
}
