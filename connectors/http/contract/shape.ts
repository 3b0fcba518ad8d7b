import { refName } from '#sdk';

type Json = Readonly<Record<string, unknown>>;

/** Whether a schema asks for anything at all. */
export const asks = (schema: unknown): boolean =>
  schema === false || (typeof schema === 'object' && schema !== null && Object.keys(schema).length > 0);

const number = /^-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?$/i;

/** What a JSON Schema says of the types of a value: worked out once, for every message. */
export class Shape {
  /** Itself, what it refers to, and its alternatives: together they say what a value is. */
  readonly #parts: readonly Json[];
  readonly #all: Json;
  #types: ReadonlySet<string> | undefined;
  #item: Shape | undefined;
  #properties: ReadonlyMap<string, Shape> | undefined;

  /** `all`: the schemas that it may refer to. */
  constructor(schema: unknown, all: Json) {
    const parts = new Set<Json>();
    gather(schema, all, parts);
    this.#parts = [...parts];
    this.#all = all;
  }

  /** The types that a value may have; empty: any. */
  get types(): ReadonlySet<string> {
    this.#types ??= typesOf(this.#parts);
    return this.#types;
  }

  get isList(): boolean {
    return this.types.has('array') && !this.types.has('string');
  }

  get isObject(): boolean {
    return this.types.has('object') && !this.types.has('string');
  }

  get item(): Shape {
    const found = this.#parts.find(({ items }) => items !== undefined && !Array.isArray(items));
    this.#item ??= new Shape(found?.['items'] ?? true, this.#all);
    return this.#item;
  }

  get properties(): ReadonlyMap<string, Shape> {
    const named = this.#parts.flatMap(({ properties }) =>
      typeof properties === 'object' && properties !== null ? Object.entries(properties) : [],
    );
    this.#properties ??= new Map(named.map(([name, schema]) => [name, new Shape(schema, this.#all)]));
    return this.#properties;
  }

  /** Text as the type that is asked for; text that is none of it stays text, which the check then says. */
  typed(text: string): unknown {
    const { types } = this;
    if (types.size === 0 || types.has('string')) return text;
    if ((types.has('integer') || types.has('number')) && number.test(text)) return Number(text);
    if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true';
    return types.has('null') && (text === 'null' || text === '') ? null : text;
  }
}

function gather(schema: unknown, all: Json, parts: Set<Json>): void {
  if (typeof schema !== 'object' || schema === null || parts.has(schema as Json)) return;
  const own = schema as Json;
  parts.add(own);
  const name = refName(own['$ref']);
  if (name !== undefined) gather(all[name], all, parts);
  for (const key of ['allOf', 'anyOf', 'oneOf']) {
    const others = own[key];
    if (Array.isArray(others)) for (const one of others) gather(one, all, parts);
  }
}

function typesOf(parts: readonly Json[]): ReadonlySet<string> {
  const types = new Set<string>();
  for (const part of parts) {
    for (const type of [part['type']].flat()) if (typeof type === 'string') types.add(type);
    if (part['type'] !== undefined) continue;
    const values = [...(Array.isArray(part['enum']) ? part['enum'] : []), ...('const' in part ? [part['const']] : [])];
    for (const value of values) types.add(value === null ? 'null' : typeof value);
  }
  return types;
}
