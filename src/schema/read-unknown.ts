import { habit, isUrl, kindFields } from './habits.ts';
import { nearest } from './nearest.ts';
import { childPointer, type MapEntry, type MapNode } from './node.ts';
import type { ReadContext, Trail } from './read-context.ts';
import type { Schema } from './schema.ts';
import { listed } from './wording.ts';

/** A map in which a key was found that it does not have. */
export interface Owner {
  readonly node: MapNode;
  /** Every key the map may have. */
  readonly names: readonly string[];
  /** The schema that stands, or would stand, under one of the names. */
  readonly under: (name: string) => Schema | undefined;
  readonly trail: Trail | undefined;
  /** Keys that belong elsewhere in the file, each with where. */
  readonly elsewhere?: Readonly<Record<string, string>> | undefined;
  /** Those of the names that the map cannot do without. */
  readonly required?: readonly string[];
  /** `unknown-key`, unless the names are kinds: `unknown-step`, `unknown-connector`. */
  readonly code?: string;
  /** Those of the names that are connectors, of which one is needed and none is there yet. */
  readonly connectors?: readonly string[];
}

export const trailTo = (key: string, { names, under, trail }: Owner): Trail => ({ key, names, under, outer: trail });

/**
 * Reports keys that the map does not have; where one of them names the kind, the others are what belongs to it. Returns
 * those whose meaning can be guessed, under the names they should have had.
 */
export function reportUnknownKeys(
  entries: readonly MapEntry[],
  owner: Owner,
  context: ReadContext,
): readonly MapEntry[] {
  const naming = entries.find((entry) => isKindField(entry, owner));
  const asked = naming ? [naming] : reportAddress(reportUrl(entries, owner, context), owner, context);
  const told = reportMisplaced(asked, owner, context);
  const guess = guessMissing(entries, owner, context);
  if (guess) {
    const { entry, key } = guess;
    const message = `Unknown key \`${entry.key}\`; did you mean \`${key}\`, which is missing?`;
    const pointer = childPointer(owner.node.pointer, entry.key);
    context.report({ severity: 'error', code: 'unknown-key', at: 'key', pointer, message, suggestion: key });
    return [];
  }
  return told.flatMap(({ key, value }) => {
    const meant = reportUnknownKey({ key, value }, owner, context);
    if (meant === undefined || owner.node.entries.some((entry) => entry.key === meant)) return [];
    return [{ key: meant, value }];
  });
}

/** The one key that nobody knows, for the one that is missing. */
export function guessMissing(
  unknown: readonly MapEntry[],
  owner: Owner,
  context: ReadContext,
): { readonly entry: MapEntry; readonly key: string } | undefined {
  const [entry, another] = unknown;
  const [key, more] = (owner.required ?? []).filter((name) => !owner.node.entries.some((one) => one.key === name));
  if (!entry || another || key === undefined || more !== undefined || owner.code !== undefined) return undefined;
  const { names } = owner;
  const isClear =
    placeOf(entry, owner, context) !== undefined ||
    specialKey(entry, owner) !== undefined ||
    isKindField(entry, owner) ||
    gluedName(entry.key, names) !== undefined ||
    habit(entry.key, names) !== undefined ||
    nearest(entry.key, names) !== undefined;
  return isClear || isUrl(entry.key) ? undefined : { entry, key };
}

/** Keys that belong to one place are one mistake. Returns the others. */
function reportMisplaced(entries: readonly MapEntry[], owner: Owner, context: ReadContext): readonly MapEntry[] {
  const places = Map.groupBy(entries, (entry) => placeOf(entry, owner, context));
  for (const [place, there] of places) {
    const [first] = there;
    if (place === undefined || !first) continue;
    const keys = listed(
      there.map(({ key }) => key),
      'and',
    );
    const message = `${keys} ${there.length > 1 ? place.replace(/^belongs /, 'belong ') : place}`;
    const pointer = childPointer(owner.node.pointer, first.key);
    context.report({ severity: 'error', code: 'misplaced-key', at: 'key', pointer, message });
    for (const { key } of there.slice(1)) context.standIn(childPointer(owner.node.pointer, key));
  }
  return places.get(undefined) ?? [];
}

/** `call: { url: …, method: … }` is one mistake. Returns the keys that are none of it. */
function reportUrl(entries: readonly MapEntry[], owner: Owner, context: ReadContext): readonly MapEntry[] {
  const url = owner.names.includes('endpoint') ? entries.find(({ key }) => isUrl(key)) : undefined;
  if (!url || owner.names.includes(url.key)) return entries;
  const http = owner.under('http');
  const options = entries.filter((entry) => entry !== url && takes(http, entry.key, context));
  const rest =
    options.length === 0
      ? ''
      : `, and ${listed(
          options.map(({ key }) => key),
          'and',
        )} under \`http:\``;
  const message = `What is called is named once, under \`endpoints:\`, as \`some-name: { http: { url: … } }\`. Write \`endpoint: some-name\` here${rest}`;
  const pointer = childPointer(owner.node.pointer, url.key);
  context.report({ severity: 'error', code: 'unknown-key', at: 'key', pointer, message });
  return entries.filter((entry) => entry !== url && !options.includes(entry));
}

/** `from: { uri: 'timer:tick', parameters: … }` is one mistake, too. Returns the keys that belong elsewhere. */
function reportAddress(entries: readonly MapEntry[], owner: Owner, context: ReadContext): readonly MapEntry[] {
  const url = owner.connectors && entries.find(({ key }) => isUrl(key));
  if (!url || !owner.connectors) return entries;
  const name = connectorFor(url.value.kind === 'scalar' ? url.value.text : '', owner.connectors);
  const option = takes(owner.under(name), 'url', context) ? 'url: …' : '…';
  const message = `An address is an option of its connector, which is a key: write \`${name}: { ${option} }\``;
  const pointer = childPointer(owner.node.pointer, url.key);
  context.report({ severity: 'error', code: 'unknown-connector', at: 'key', pointer, message });
  return entries.filter((entry) => entry !== url && placeOutside(entry.key, owner) !== undefined);
}

/** The connector that an address is of, going by how it begins. */
export function connectorFor(address: string, names: readonly string[]): string {
  const [, scheme = ''] = /^([\w+.-]+):/.exec(address) ?? [];
  return names.find((name) => name === scheme) ?? names.find((name) => scheme === `${name}s`) ?? 'http';
}

/** Whether one of the keys is `type: call`. */
export const namesKind = (entries: readonly MapEntry[], owner: Owner): boolean =>
  entries.some((entry) => isKindField(entry, owner));

const isKindField = ({ key, value }: MapEntry, owner: Owner): boolean =>
  kindFields.includes(key) && value.kind === 'scalar' && owner.names.includes(value.text);

/** Reports a key that the map does not have, and returns what it was probably meant to be. */
function reportUnknownKey(entry: MapEntry, owner: Owner, context: ReadContext): string | undefined {
  const { key } = entry;
  const pointer = childPointer(owner.node.pointer, key);
  const special = specialKey(entry, owner);
  if (special !== undefined) {
    context.report({ severity: 'error', code: owner.code ?? 'unknown-key', at: 'key', pointer, message: special });
    return undefined;
  }
  const glued = gluedName(key, owner.names);
  if (glued !== undefined) {
    const written = key.replace(/:\s*/, ': ');
    context.report({
      severity: 'error',
      code: 'unknown-key',
      at: 'key',
      pointer,
      message: `A space is missing after the colon: \`${written}\``,
      suggestion: written,
    });
    return undefined;
  }
  const otherWord = habit(key, owner.names);
  const suggestion = otherWord ?? nearest(key, owner.names);
  const { connectors } = owner;
  const asConnector = connectors && (suggestion === undefined || connectors.includes(suggestion));
  const code = asConnector ? 'unknown-connector' : (owner.code ?? 'unknown-key');
  const names = asConnector ? connectors : owner.names;
  const meant = suggestion === undefined ? '' : `; did you mean \`${suggestion}\`?`;
  const known = suggestion === undefined && names.length > 0 ? `; known here: ${listed(names, 'and')}` : '';
  context.report({
    severity: 'error',
    code,
    at: 'key',
    pointer,
    message: `${nounOf(code)} \`${key}\`${meant}${known}`,
    suggestion,
  });
  // What other systems put under their word may look different.
  return otherWord === undefined ? suggestion : undefined;
}

/** The known key of `{ endpoint:inventory }`, which YAML takes for one key. */
export const gluedName = (key: string, names: readonly string[]): string | undefined =>
  names.find((name) => key.startsWith(`${name}:`) && !key.startsWith(`${name}://`));

function specialKey(entry: MapEntry, owner: Owner): string | undefined {
  if (entry.key === '<<') return 'YAML 1.2 has no merge keys: write the keys out, or give the whole value by an alias';
  if (entry.key === '') return 'A key is missing before this colon';
  if (!isKindField(entry, owner) || entry.value.kind !== 'scalar') return undefined;
  return `A kind is a key of its own: write \`${entry.value.text}:\` with the options under it`;
}

const nounOf = (code: string): string =>
  code === 'unknown-step' ? 'Unknown step' : code === 'unknown-connector' ? 'Unknown connector' : 'Unknown key';

/** The list of steps in the map, where the key is a step that stands beside it. */
export const stepList = (key: string, owner: Owner, context: ReadContext): string | undefined =>
  context.kinds.steps.has(key) ? owner.names.find((name) => owner.under(name)?.kind === 'steps') : undefined;

/** `host: localhost, port: 6379` in the place of one URL. */
export const isPartOfUrl = (key: string, { names }: Owner): boolean =>
  ['host', 'hostname', 'port', 'protocol', 'scheme'].includes(key) && names.includes('url') && !names.includes(key);

/** Where a key that is right elsewhere belongs: deeper, beside the outer keys, or in the list of steps. */
function placeOf(entry: MapEntry, owner: Owner, context: ReadContext): string | undefined {
  const { key } = entry;
  const elsewhere = Object.hasOwn(owner.elsewhere ?? {}, key) ? owner.elsewhere?.[key] : undefined;
  if (elsewhere !== undefined) return elsewhere;
  if (specialKey(entry, owner) !== undefined) return undefined;
  if (isPartOfUrl(key, owner))
    return `belongs into \`url\`, as in \`${owner.under('url')?.examples?.[0] ?? 'http://localhost:8080'}\``;
  for (const inner of owner.node.entries) {
    if (takes(owner.under(inner.key), key, context)) return `belongs under \`${inner.key}\`: indent it further`;
  }
  const list = stepList(key, owner, context);
  if (list !== undefined) return `is a step: it belongs in the list under \`${list}\`, as \`- ${key}:\``;
  const outer = placeOutside(key, owner);
  if (outer !== undefined) return outer;
  const inner = owner.names.filter((name) => takes(owner.under(name), key, context));
  if (owner.names.some((name) => isPlural(name, key))) return undefined;
  const many = inner.length > 3 || habit(key, owner.names) !== undefined;
  if (many) return undefined;
  if (inner.length > 0) return `belongs under ${listed(inner)}`;
  if (context.kinds.steps.has(key) && owner.trail === undefined && owner.names.includes('flows')) {
    return `is a step: it belongs in the list under \`steps\` of a flow, as \`- ${key}:\``;
  }
  const [owned, ...more] = owner.names.filter((name) => takesInside(owner.under(name), key, context));
  return owned === undefined || more.length > 0 ? undefined : `belongs under \`${owned}:\`, under a name there`;
}

const describing: readonly string[] = ['name', 'version', 'description'];

/** That a key belongs beside one of the outer keys; also a word of other systems for one that does. */
export function placeOutside(key: string, owner: Owner): string | undefined {
  for (let trail = owner.trail; trail; trail = trail.outer) {
    // What describes the file as a whole was not meant deep in it.
    if (!trail.outer && describing.includes(key)) continue;
    if (trail.names.includes(key) && trail.key !== key) return `belongs further out, beside \`${trail.key}\``;
  }
  const meant = owner.trail && habit(key, owner.trail.names);
  if (meant === undefined || meant === owner.trail?.key || habit(key, owner.names) !== undefined) return undefined;
  return `is called \`${meant}\`, and belongs further out, beside \`${owner.trail?.key}\``;
}

/** Whether a key may stand under each of the names in a map of this schema. */
export const takesInside = (schema: Schema | undefined, key: string, context: ReadContext): boolean =>
  schema?.keys === 'name' && takes(schema.additionalProperties, key, context);

const isPlural = (one: string, other: string): boolean => `${one}s` === other || `${other}s` === one;

/** Whether a key may stand in a map of this schema, as an option or as the name of a connector. */
export function takes(schema: Schema | undefined, key: string, context: ReadContext): boolean {
  if (!schema || schema.template) return false;
  const { slot } = schema;
  const connector = slot && context.kinds.connectors.get(key)?.[slot];
  return connector !== undefined || Object.hasOwn(schema.properties ?? {}, key);
}
