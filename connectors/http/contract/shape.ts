import { refName } from '#sdk';

/** A JSON Schema and those that it may refer to. */
export interface Shaped {
  readonly schema: unknown;
  readonly all: Readonly<Record<string, unknown>>;
}

type Json = Readonly<Record<string, unknown>>;

/** References and alternatives are followed so far. */
const deepest = 20;

/** Whether a schema asks for anything at all. */
export const asks = (schema: unknown): boolean =>
  schema === false || (typeof schema === 'object' && schema !== null && Object.keys(schema).length > 0);

/** The schemas that together say what a value is: itself, what it refers to, and its alternatives. */
function parts({ schema, all }: Shaped, depth = 0): readonly Json[] {
  if (typeof schema !== 'object' || schema === null || depth > deepest) return [];
  const own = schema as Json;
  const name = refName(own['$ref']);
  const others = ['allOf', 'anyOf', 'oneOf'].flatMap((key) => (Array.isArray(own[key]) ? (own[key] as unknown[]) : []));
  const further = name === undefined ? others : [all[name], ...others];
  return [own, ...further.flatMap((one) => parts({ schema: one, all }, depth + 1))];
}

/** The types that a value may have; empty: any. */
export function typesOf(shaped: Shaped): ReadonlySet<string> {
  const types = new Set<string>();
  for (const part of parts(shaped)) {
    for (const type of [part['type']].flat()) if (typeof type === 'string') types.add(type);
    if (part['type'] !== undefined) continue;
    const values = [...(Array.isArray(part['enum']) ? part['enum'] : []), ...('const' in part ? [part['const']] : [])];
    for (const value of values) types.add(value === null ? 'null' : typeof value);
  }
  return types;
}

export function itemOf(shaped: Shaped): Shaped {
  const found = parts(shaped).find((part) => part['items'] !== undefined && !Array.isArray(part['items']));
  return { schema: found?.['items'] ?? true, all: shaped.all };
}

export function propertiesOf(shaped: Shaped): ReadonlyMap<string, Shaped> {
  const all = new Map<string, Shaped>();
  for (const { properties } of parts(shaped)) {
    if (typeof properties !== 'object' || properties === null) continue;
    for (const [name, schema] of Object.entries(properties)) all.set(name, { schema, all: shaped.all });
  }
  return all;
}

const number = /^-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?$/i;

/** Text as the type that is asked for; text that is none of it stays text, which the check then says. */
export function typed(text: string, shaped: Shaped): unknown {
  const types = typesOf(shaped);
  if (types.size === 0 || types.has('string')) return text;
  if ((types.has('integer') || types.has('number')) && number.test(text)) return Number(text);
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  return types.has('null') && (text === 'null' || text === '') ? null : text;
}
