import { basename } from 'node:path';
import { refTo } from '../../core/contract.ts';
import { pointerSegments } from '../../schema/node.ts';
import { type Documents, type Located, refOf } from './documents.ts';

type Json = Readonly<Record<string, unknown>>;

/** Keywords below which there is one schema, a list of schemas, or a map of them. */
const single = new Set(
  `items additionalItems unevaluatedItems contains additionalProperties unevaluatedProperties propertyNames
  contentSchema if then else not`.split(/\s+/),
);
const listed = new Set(['prefixItems', 'allOf', 'anyOf', 'oneOf']);
const named = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);

/** What stands in a schema for tools of other kinds, or says of itself where it is. */
const dropped = new Set(['$schema', '$id', 'xml', 'externalDocs', 'discriminator']);

/** Schemas of a document as JSON Schema 2020-12. What they refer to is gathered under names. */
export class Schemas {
  readonly all: Record<string, unknown> = Object.create(null);
  readonly #documents: Documents;
  /** OpenAPI 3.0 has a dialect of its own. */
  readonly #old: boolean;
  readonly #names = new Map<string, string>();

  constructor(documents: Documents, old: boolean) {
    this.#documents = documents;
    this.#old = old;
  }

  /** Throws a DocumentProblem where a `$ref` leads nowhere. */
  read(at: Located): unknown {
    const { value } = at;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const ref = refOf(value);
    if (ref === undefined) return this.#translated(at, value as Json);
    const target = { $ref: refTo(this.#named(this.#documents.target(at, ref))) };
    if (this.#old) return target;
    const { $ref: _, ...beside } = value as Json;
    return { ...this.#translated(at, beside), ...target };
  }

  #named(target: Located): string {
    const key = `${target.document.path}#${target.pointer}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const name = this.#free(target);
    this.#names.set(key, name);
    // Before its inside is read: it may refer to itself.
    this.all[name] = true;
    this.all[name] = this.read(target);
    return name;
  }

  #free({ document, pointer }: Located): string {
    const written = pointerSegments(pointer).at(-1) ?? basename(document.path).replace(/(\.schema)?\.\w+$/, '');
    const wanted = written.replaceAll(/[^\w.-]+/g, '_') || 'schema';
    let name = wanted;
    for (let nth = 2; Object.hasOwn(this.all, name); nth += 1) name = `${wanted}_${nth}`;
    return name;
  }

  #translated(at: Located, schema: Json): Json {
    const entries = Object.entries(schema).flatMap(([key, value]): readonly (readonly [string, unknown])[] => {
      if (dropped.has(key)) return [];
      const inner = { document: at.document, pointer: `${at.pointer}/${escaped(key)}`, value };
      return [[key, this.#inside(key, inner)]];
    });
    const translated = Object.fromEntries(entries);
    return this.#old ? asOfToday(translated) : translated;
  }

  #inside(key: string, at: Located): unknown {
    const { document, pointer, value } = at;
    if (single.has(key)) return this.read(at);
    if (Array.isArray(value) && (listed.has(key) || key === 'items')) {
      return value.map((one, index) => this.read({ document, pointer: `${pointer}/${index}`, value: one }));
    }
    if (!named.has(key) || typeof value !== 'object' || value === null) return value;
    const read = Object.entries(value).map(([name, one]) => [
      name,
      this.read({ document, pointer: `${pointer}/${escaped(name)}`, value: one }),
    ]);
    return Object.fromEntries(read);
  }
}

const escaped = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

/** What OpenAPI 3.0 says otherwise than JSON Schema 2020-12. */
function asOfToday({ nullable, example, ...schema }: Json): Json {
  const { type, ...bounds } = { type: schema['type'], ...bound(schema, 'Minimum'), ...bound(schema, 'Maximum') };
  const { exclusiveMinimum: _, exclusiveMaximum: __, minimum: ___, maximum: ____, ...rest } = schema;
  return {
    ...rest,
    ...bounds,
    ...(nullable === true && typeof type === 'string' ? { type: [type, 'null'] } : {}),
    ...(example === undefined ? {} : { examples: [example] }),
  };
}

function bound(schema: Json, which: 'Minimum' | 'Maximum'): Json {
  const exclusive: unknown = schema[`exclusive${which}`];
  const plain: unknown = schema[which.toLowerCase()];
  if (exclusive === true) return plain === undefined ? {} : { [`exclusive${which}`]: plain };
  return {
    ...(plain === undefined ? {} : { [which.toLowerCase()]: plain }),
    ...(typeof exclusive === 'number' ? { [`exclusive${which}`]: exclusive } : {}),
  };
}
