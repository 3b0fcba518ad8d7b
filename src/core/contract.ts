/**
 * An OpenAPI document as what it promises: plain data without `$ref`, but for those inside of schemas. Every schema is
 * JSON Schema 2020-12, whatever version the document has, and refers to others as `#/$defs/<name>`.
 */
export interface Contract {
  /** Absolute path of the document. */
  readonly path: string;
  /** How messages call an operation: its `operationId`, or `GET /orders` where it has none. In the order of the document. */
  readonly operationIds: readonly string[];
  /** `undefined`: the document has no such operation. */
  operation(id: string): ContractOperation | undefined;
  /** Those that somebody asked for. */
  used(): readonly ContractOperation[];
  /** What is wrong with an operation, each with file, line and column. */
  problems(id: string): readonly string[];
  /** What `#/$defs/…` of the operations that were asked for means. */
  readonly schemas: Readonly<Record<string, unknown>>;
  /** The path of the first of its `servers`, where that is a plain one: `/v2`. */
  readonly serverPath: string | undefined;
  /** The URL of the first of its `servers`, where that is a plain one. */
  readonly serverUrl: string | undefined;
  /** Of `components.securitySchemes`. */
  readonly securitySchemes: Readonly<Record<string, unknown>>;
}

export type ParameterPlace = 'path' | 'query' | 'header' | 'cookie';

export interface ContractOperation {
  readonly id: string;
  /** In upper case. */
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly ContractParameter[];
  readonly body: ContractBody | undefined;
  readonly answers: readonly ContractAnswer[];
  /** What it says for readers and for tools: `summary`, `description`, `tags`, `deprecated`, `security`, `operationId`. */
  readonly told: Readonly<Record<string, unknown>>;
}

export interface ContractParameter {
  readonly name: string;
  readonly in: ParameterPlace;
  readonly required: boolean;
  readonly style: string;
  readonly explode: boolean;
  /** Its text is a document of this type; absent: it is written as `style` says. */
  readonly mediaType: string | undefined;
  readonly schema: unknown;
  readonly told: Readonly<Record<string, unknown>>;
}

/** A header of an answer. */
export interface ContractHeader {
  readonly name: string;
  readonly required: boolean;
  readonly explode: boolean;
  readonly mediaType: string | undefined;
  readonly schema: unknown;
  readonly told: Readonly<Record<string, unknown>>;
}

export interface ContractContent {
  /** `application/json`, or a range: `text/*`. */
  readonly mediaType: string;
  readonly schema: unknown;
  readonly told: Readonly<Record<string, unknown>>;
}

export interface ContractBody {
  readonly required: boolean;
  readonly contents: readonly ContractContent[];
  readonly told: Readonly<Record<string, unknown>>;
}

export interface ContractAnswer {
  /** `200`, `2XX` or `default`. */
  readonly status: string;
  readonly headers: readonly ContractHeader[];
  readonly contents: readonly ContractContent[];
  readonly told: Readonly<Record<string, unknown>>;
}

/** What a schema describes: what is sent has no `readOnly` fields, what is answered no `writeOnly` ones. */
export type Direction = 'sent' | 'answered';

/** A schema with all that it refers to, for who compiles it. */
export function wholeSchema(schema: unknown, all: Readonly<Record<string, unknown>>, direction: Direction): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  const used = new Map<string, unknown>();
  const waiting: unknown[] = [schema];
  while (waiting.length > 0) {
    for (const name of refsIn(waiting.pop())) {
      if (used.has(name) || !Object.hasOwn(all, name)) continue;
      used.set(name, all[name]);
      waiting.push(all[name]);
    }
  }
  const own = directed(schema, all, direction) as object;
  if (used.size === 0) return own;
  return { ...own, $defs: Object.fromEntries([...used].map(([name, one]) => [name, directed(one, all, direction)])) };
}

const prefix = '#/$defs/';

/** The name of the schema that a `$ref` of a {@link Contract} means. */
export const refName = (ref: unknown): string | undefined =>
  typeof ref === 'string' && ref.startsWith(prefix) ? ref.slice(prefix.length) : undefined;

export const refTo = (name: string): string => prefix + name;

function refsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(refsIn);
  const name = refName((value as { readonly $ref?: unknown }).$ref);
  return [...(name === undefined ? [] : [name]), ...Object.values(value).flatMap(refsIn)];
}

/** Without the fields among `required` that are not there in this direction. */
function directed(schema: unknown, all: Readonly<Record<string, unknown>>, direction: Direction): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map((one) => directed(one, all, direction));
  const inner = Object.entries(schema).map(([key, one]) => [key, directed(one, all, direction)] as const);
  const copy: Record<string, unknown> = Object.fromEntries(inner);
  const { required, properties } = schema as { readonly required?: unknown; readonly properties?: unknown };
  if (!Array.isArray(required) || typeof properties !== 'object' || properties === null) return copy;
  const absent = direction === 'sent' ? 'readOnly' : 'writeOnly';
  const isThere = (name: unknown): boolean => {
    const property: unknown = (properties as Readonly<Record<string, unknown>>)[String(name)];
    return !isMarked(property, absent) && !isMarked(all[refName((property as Ref | undefined)?.$ref) ?? ''], absent);
  };
  copy['required'] = required.filter(isThere);
  return copy;
}

interface Ref {
  readonly $ref?: unknown;
}

const isMarked = (schema: unknown, mark: 'readOnly' | 'writeOnly'): boolean =>
  typeof schema === 'object' && schema !== null && (schema as Readonly<Record<string, unknown>>)[mark] === true;
