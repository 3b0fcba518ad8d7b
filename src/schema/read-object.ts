import type { ConnectorSource, Finding } from '../core/written.ts';
import { adopt, adoptIntoNamed } from './adopt.ts';
import { habit, isUrl } from './habits.ts';
import { nearest } from './nearest.ts';
import { childPointer, describe, entryOf, isNothing, type MapEntry, type MapNode, type Node } from './node.ts';
import { listHint, shorthand } from './other-kind.ts';
import type { ReadNode } from './read.ts';
import { onTrial, type ReadContext, type Trail } from './read-context.ts';
import {
  connectorFor,
  gluedName,
  guessMissing,
  isPartOfUrl,
  type Owner,
  placeOutside,
  reportUnknownKeys,
  stepList,
  takes,
  takesInside,
  trailTo,
} from './read-unknown.ts';
import type { Schema } from './schema.ts';
import { defaultValue, standIn } from './stand-in.ts';
import { keyPatterns, listed, mismatch, titleOf } from './wording.ts';

/** Reads a map: its keys, a connector's name among them where the schema has a slot, defaults for the rest. */
export function readObject(
  node: Node,
  schema: Schema,
  context: ReadContext,
  trail: Trail | undefined,
  read: ReadNode,
): unknown {
  if (node.kind !== 'map') return notAMap(node, schema, context);
  const given = ownerOf(node, schema, context, trail);
  return readMap(adoptIntoNamed(adopt(node, given, context), schema, context, trail), schema, context, given, read);
}

function readMap(node: MapNode, schema: Schema, context: ReadContext, around: Owner, read: ReadNode): unknown {
  const owner = { ...around, node };
  if (schema.minItems && node.entries.length < schema.minItems) context.report(emptyMap(node, schema, context));
  const known = node.entries.filter((entry) => isKnown(entry, schema, context));
  const unknown = node.entries.filter((entry) => !known.includes(entry));
  const meant = reportUnknownKeys(unknown, owner, context).filter((entry) => fits(entry, owner, context, read));
  for (const { key, value } of meant) context.moved(childPointer(node.pointer, key), value.pointer);
  const given = [...known, ...meant];
  const values = readKnown(given, schema, context, owner, read);
  addMissing(owner, schema, context, unknown, values);
  const kinds = given.filter((entry) => isConnector(entry, schema, context));
  const connector = readSlot(node, kinds, schema, context, owner, unknown.length > 0, read);
  if (schema.oneKey) reportKinds(node, known, unknown.length > 0, owner.names, context);
  return connector ? { ...values, connector } : values;
}

/** Whether what stands under a misspelt key is what the right one takes: else it was meant to be something else. */
export function fits({ key, value }: MapEntry, owner: Owner, context: ReadContext, read: ReadNode): boolean {
  const schema = owner.under(key);
  if (!schema || context.trial) return false;
  const trial = onTrial(context);
  read(value, schema, trial.context, owner.trail);
  return trial.errors.every((finding) => finding.pointer !== value.pointer || finding.at === 'key');
}

function notAMap(node: Node, schema: Schema, context: ReadContext): unknown {
  context.report(isNothing(node) ? emptyMap(node, schema, context) : otherKind(node, schema, context));
  context.standIn(node.pointer);
  return standIn(schema, node.pointer);
}

function emptyMap(node: Node, schema: Schema, context: ReadContext): Finding {
  const kinds = schema.oneKey ? Object.keys(schema.properties ?? {}) : connectorNames(schema, context);
  const needed = schema.required?.length
    ? listed(schema.required, 'and')
    : schema.oneKey || (schema.slot && schema.slot !== 'call')
      ? `one of ${listed(kinds)}`
      : schema.minItems
        ? schema.properties
          ? `at least one of ${listed(Object.keys(schema.properties))}`
          : 'at least one entry'
        : undefined;
  const hint = needed === undefined ? 'write `{}` where there is nothing to say' : `it needs ${needed}`;
  const message = `${titleOf(node.pointer)} is empty: ${hint}`;
  return { severity: 'error', code: 'missing-value', pointer: node.pointer, message };
}

function otherKind(node: Node, schema: Schema, context: ReadContext): Finding {
  const written = (node.kind === 'scalar' && shorthand(node, schema)) || '';
  const glued = node.kind === 'scalar' ? gluedName(node.text, Object.keys(schema.properties ?? {})) : undefined;
  const hint =
    glued !== undefined
      ? '. A space is missing after the colon'
      : node.kind === 'list'
        ? listHint(node, schema, context)
        : schema.slot && schema.slot !== 'call' && node.kind === 'scalar'
          ? addressHint(node.text, schema, context)
          : '';
  const single = hint === '' && written !== '';
  const spaced = node.kind === 'scalar' && glued !== undefined ? node.text.replace(/:\s*/, ': ') : undefined;
  return {
    severity: 'error',
    code: 'wrong-type',
    pointer: node.pointer,
    message: `${mismatch(node, schema)}${single ? `. Write \`${written}\`` : hint}`,
    suggestion: single ? written : spaced,
  };
}

/** For `http://localhost` in the place of `http: { url: http://localhost }`. */
function addressHint(text: string, schema: Schema, context: ReadContext): string {
  const name = connectorFor(text, connectorNames(schema, context));
  const slot = schema.slot && context.kinds.connectors.get(name)?.[schema.slot];
  const isAddress = /^\w+:\/\/\S+$/.test(text) && takes(slot, 'url', context);
  return `. Its connector is a key: \`${name}: { ${isAddress ? `url: ${text}` : '…'} }\``;
}

function connectorNames(schema: Schema, context: ReadContext): readonly string[] {
  const { slot } = schema;
  if (!slot) return [];
  return [...context.kinds.connectors].filter(([, schemas]) => schemas[slot]).map(([name]) => name);
}

function ownerOf(node: MapNode, schema: Schema, context: ReadContext, trail: Trail | undefined): Owner {
  const { slot, properties } = schema;
  const connectors = connectorNames(schema, context);
  const isNeeded = slot === 'source' || slot === 'endpoint';
  const isThere = node.entries.some((entry) => isConnector(entry, schema, context));
  return {
    node,
    names: [...Object.keys(properties ?? {}), ...connectors],
    under: (name) => properties?.[name] ?? (slot && context.kinds.connectors.get(name)?.[slot]),
    trail,
    elsewhere: schema.elsewhere,
    required: (schema.required ?? []).filter((key) => !isExcused(key, schema, node)),
    ...(isNeeded && !isThere ? { connectors } : {}),
  };
}

const isProperty = (entry: MapEntry, schema: Schema): boolean => Object.hasOwn(schema.properties ?? {}, entry.key);

const isConnector = (entry: MapEntry, schema: Schema, context: ReadContext): boolean =>
  schema.slot !== undefined && !isProperty(entry, schema) && context.kinds.connectors.has(entry.key);

const isKnown = (entry: MapEntry, schema: Schema, context: ReadContext): boolean =>
  isProperty(entry, schema) || isConnector(entry, schema, context) || schema.additionalProperties !== undefined;

function readKnown(
  known: readonly MapEntry[],
  schema: Schema,
  context: ReadContext,
  owner: Owner,
  read: ReadNode,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const entry of known) {
    if (isConnector(entry, schema, context)) continue;
    const property = isProperty(entry, schema) ? schema.properties?.[entry.key] : schema.additionalProperties;
    if (!property) continue;
    if (!isProperty(entry, schema)) checkKey(entry, schema, context);
    const inner = trailTo(entry.key, owner);
    const value = read(entry.value, property, context, schema.properties ? inner : owner.trail);
    if (value !== undefined) define(values, entry.key, value);
  }
  return values;
}

function checkKey({ key, value }: MapEntry, { keys }: Schema, context: ReadContext): void {
  if (keys === undefined || keyPatterns[keys].test(key)) return;
  const repaired = key.trim().replaceAll(/[^\w-]+/g, keys === 'name' ? '-' : '_');
  context.report({
    severity: 'error',
    code: 'bad-name',
    at: 'key',
    pointer: value.pointer,
    message: `\`${key}\` is no name: ${keys === 'name' ? 'letters, digits, `-` and `_`, beginning with a letter' : 'an environment variable has letters, digits and `_`, and begins with no digit'}`,
    suggestion: keyPatterns[keys].test(repaired) ? repaired : undefined,
  });
}

// An own property whatever the key: assigning `__proto__` would change the prototype instead.
const define = (values: Record<string, unknown>, key: string, value: unknown): void => {
  Object.defineProperty(values, key, { value, enumerable: true, configurable: true, writable: true });
};

function addMissing(
  owner: Owner,
  schema: Schema,
  context: ReadContext,
  unknown: readonly MapEntry[],
  values: Record<string, unknown>,
): void {
  const { node } = owner;
  const isOutside = unknown.length > 0 && unknown.every((entry) => placeOutside(entry.key, owner) !== undefined);
  const isNothingElse = isOutside && unknown.length === node.entries.length;
  const guess = guessMissing(unknown, owner, context);
  const isStep = unknown.some((entry) => stepList(entry.key, owner, context) !== undefined);
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (Object.hasOwn(values, key)) continue;
    const pointer = childPointer(node.pointer, key);
    if (isExcused(key, schema, node)) continue;
    const required = schema.required?.includes(key);
    const value = required ? standIn(property, pointer) : defaultValue(property, pointer);
    if (value !== undefined) values[key] = value;
    if (!required) continue;
    context.standIn(pointer);
    // A required key that is there, but misspelt, misplaced or without a value of its own, has its message already.
    if (node.entries.some((entry) => entry.key === key)) {
      reportAbsent(node, key, context);
    } else if (
      !isStep &&
      !isNothingElse &&
      guess?.key !== key &&
      !isInside(key, owner, context) &&
      !unknown.some((entry) => isMeant(entry, key) || isPartOf(entry, key, owner, context))
    ) {
      reportMissing(node, key, property, context);
    }
  }
}

/** Whether another key says what this one would. */
function isExcused(key: string, { unless }: Schema, node: MapNode): boolean {
  const other = unless?.[key];
  return (
    other !== undefined && node.entries.some((entry) => entry.key === other || nearest(entry.key, [other]) === other)
  );
}

/** Whether the key stands one level too deep, where it is reported. */
const isInside = (key: string, owner: Owner, context: ReadContext): boolean =>
  owner.node.entries.some((entry) => entryOf(entry.value, key) && !takes(owner.under(entry.key), key, context));

/** Whether an unknown key, which is reported already, stands for the missing one. */
const isMeant = (entry: MapEntry, key: string): boolean =>
  habit(entry.key, [key]) === key ||
  nearest(entry.key, [key]) === key ||
  gluedName(entry.key, [key]) !== undefined ||
  (key === 'endpoint' && isUrl(entry.key));

/** Whether an unknown key, which is reported already, is a part of the missing one. */
const isPartOf = (entry: MapEntry, key: string, owner: Owner, context: ReadContext): boolean =>
  (key === 'url' && isPartOfUrl(entry.key, owner)) ||
  owner.elsewhere?.[entry.key]?.includes(`\`${key}:\``) ||
  takesInside(owner.under(key), entry.key, context);

function reportMissing(node: MapNode, key: string, property: Schema, context: ReadContext): void {
  const where = node.pointer === '' ? 'in the file' : `in ${titleOf(node.pointer)}`;
  const [example] = property.examples ?? [];
  const simple = typeof example === 'string' || typeof example === 'number';
  const message = `\`${key}\` is missing ${where}${simple ? `; for example \`${key}: ${example}\`` : ''}`;
  context.report({ severity: 'error', code: 'missing-key', at: 'key', pointer: node.pointer, message });
}

function reportAbsent(node: MapNode, key: string, context: ReadContext): void {
  const value = node.entries.find((entry) => entry.key === key)?.value;
  if (value?.kind !== 'scalar') return;
  const message = `\`${key}\` needs a value, and ${value.text} is not set`;
  context.report({ severity: 'error', code: 'config-missing', pointer: value.pointer, message });
}

/** The connector of a slot. A source and an endpoint need one; a call may do without options. */
function readSlot(
  node: MapNode,
  kinds: readonly MapEntry[],
  schema: Schema,
  context: ReadContext,
  owner: Owner,
  excused: boolean,
  read: ReadNode,
): ConnectorSource | undefined {
  const { slot } = schema;
  if (!slot) return undefined;
  if (slot !== 'call' || kinds.length > 1) {
    reportKinds(node, kinds, excused, connectorNames(schema, context), context);
  }
  const [entry] = kinds;
  if (!entry) {
    context.standIn(childPointer(node.pointer, 'connector'));
    return undefined;
  }
  const { pointer } = entry.value;
  const options = context.kinds.connectors.get(entry.key)?.[slot];
  if (!options) {
    reportNoSlot(entry, slot, connectorNames(schema, context), context);
    return undefined;
  }
  let findings = 0;
  const counting: ReadContext = {
    ...context,
    report: (finding) => {
      if (finding.severity === 'error') findings++;
      context.report(finding);
    },
    standIn: (at) => {
      findings++;
      context.standIn(at);
    },
  };
  const inner = trailTo(entry.key, owner);
  const value = read(entry.value, options, counting, inner);
  if (findings > 0) return { name: entry.key, options: value, pointer };
  const given = entry.value.kind === 'map' ? entry.value.entries.map((one) => one.key) : [];
  const completed = context.complete(entry.key, slot, { options: value, given }, pointer, context.report);
  context.check(entry.key, slot, completed, pointer, context.report);
  return { name: entry.key, options: completed, pointer };
}

function reportNoSlot(entry: MapEntry, slot: string, names: readonly string[], context: ReadContext): void {
  const role = slot === 'source' ? 'is no source' : slot === 'endpoint' ? 'is no endpoint' : 'takes no options here';
  context.report({
    severity: 'error',
    code: 'unknown-connector',
    at: 'key',
    pointer: entry.value.pointer,
    message: `\`${entry.key}\` ${role}; known here: ${listed(names, 'and')}`,
  });
}

const foundIn = (node: MapNode): string => {
  const keys = node.entries.map((entry) => entry.key);
  return keys.length === 0 ? describe(node) : `only ${listed(keys, 'and')}`;
};

/** Exactly one of the keys names the kind. */
function reportKinds(
  node: MapNode,
  kinds: readonly MapEntry[],
  excused: boolean,
  names: readonly string[],
  context: ReadContext,
): void {
  const [, second] = kinds;
  if (second) {
    context.report({
      severity: 'error',
      code: 'two-kinds',
      at: 'key',
      pointer: second.value.pointer,
      message: `Only one of ${listed(
        kinds.map((entry) => entry.key),
        'and',
      )} may stand here`,
    });
  } else if (kinds.length === 0 && !excused) {
    context.report({
      severity: 'error',
      code: 'missing-kind',
      at: 'key',
      pointer: node.pointer,
      message: `${titleOf(node.pointer)} needs one of ${listed(names)}; found ${foundIn(node)}`,
    });
  }
}
