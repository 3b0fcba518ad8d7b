/**
 * JSON Schema over messages. The only importer of ajv, which is loaded when the first schema is compiled: an
 * integration without `validate` never pays for it.
 */
import { createRequire } from 'node:module';
import type { Options, ValidateFunction } from 'ajv';
import { LimitReached } from '../expression/limits.ts';
import { watched } from '../expression/watchdog.ts';
import type { SchemaFinding } from '../steps/step.ts';
import { jsonFormats } from './json-formats.ts';
import { mayBacktrack, patternOf } from './json-patterns.ts';
import { findingsOf, type SchemaError } from './schema-findings.ts';
import { isUnique } from './unique.ts';

/** The part of ajv's constructors that is used; its builds for the drafts differ in nothing else. */
interface Compiler {
  compile(schema: object | boolean): ValidateFunction;
  /** Whether it holds against the schema of schemas. */
  validateSchema(schema: object | boolean): unknown;
  removeKeyword(keyword: string): unknown;
  addKeyword(definition: object): unknown;
  /** What is wrong with the schema that was compiled last. */
  readonly errors?: SchemaError[] | null;
}

type Draft = 'ajv' | 'ajv/dist/2019' | 'ajv/dist/2020';

const load = createRequire(import.meta.url);

/** Values up to this many nodes are checked for all their mistakes; of larger ones the first is told. */
const maxNodesForAll = 10_000;

/** Milliseconds for checking one message by a schema with patterns that may backtrack. */
const maxPatternMs = 250;

/** Gives what is wrong with a value. */
type Check = (value: unknown) => readonly SchemaFinding[];

/** Of many JSON Schemas: each as {@link compileJsonSchema} does it, with one schema of schemas for all of them. */
export function jsonSchemas(trusted = false): (schema: unknown) => Check {
  const readers = new Map<Draft, Compiler>();
  return (schema) => compileJsonSchema(schema, trusted, readers);
}

/**
 * Compiles a JSON Schema: draft 2020-12, or what `$schema` says. Throws an Error with a readable message when the
 * schema itself is wrong; with `trusted` only when it cannot be compiled: making the schema of schemas, to hold it
 * against, costs a quarter of a start. `readers` keeps what was made of that.
 */
export function compileJsonSchema(schema: unknown, trusted = false, readers = new Map<Draft, Compiler>()): Check {
  if (typeof schema !== 'boolean' && (typeof schema !== 'object' || schema === null || Array.isArray(schema))) {
    throw new Error('a JSON Schema is an object, `true` or `false`');
  }
  const draft = draftOf(schema);
  const first =
    trusted || isSchema(schema, draft, readers) ? compileTrusted(schema, draft) : compileRead(schema, draft);
  let all: ValidateFunction | undefined;
  const timed = mayBacktrack(schema) ? bounded : unbounded;
  const check: Check = (value) => {
    if (timed(() => first(value))) return [];
    if (!isSmall(value)) return findingsOf(first.errors ?? []);
    // Not in the time that a message has: it is made once for all of them.
    all ??= compile(schema, draft, { allErrors: true, validateSchema: false });
    const every = all;
    timed(() => every(value));
    return findingsOf(every.errors ?? first.errors ?? []);
  };
  return (value) => {
    try {
      return check(value);
    } catch (thrown) {
      if (thrown instanceof LimitReached) return [{ pointer: '', message: `cannot be checked: ${thrown.message}` }];
      throw thrown;
    }
  };
}

/** Whatever the text of a message makes a pattern do, it holds nothing up for longer. */
const bounded = <T>(task: () => T): T => watched(task, maxPatternMs);
const unbounded = <T>(task: () => T): T => task();

function draftOf(schema: object | boolean): Draft {
  const written: unknown = typeof schema === 'object' ? (schema as { readonly $schema?: unknown }).$schema : undefined;
  if (written === undefined) return 'ajv/dist/2020';
  const uri = String(written);
  if (uri.includes('draft/2020-12')) return 'ajv/dist/2020';
  if (uri.includes('draft/2019-09')) return 'ajv/dist/2019';
  if (uri.includes('draft-07')) return 'ajv';
  throw new Error(`\`$schema\` is ${uri}; known are draft 2020-12, 2019-09 and draft-07`);
}

function isSchema(schema: object | boolean, draft: Draft, readers: Map<Draft, Compiler>): boolean {
  const reader = readers.get(draft) ?? compilerOf(draft, { validateSchema: true });
  readers.set(draft, reader);
  try {
    return reader.validateSchema(schema) === true;
  } catch {
    return false;
  }
}

function compileTrusted(schema: object | boolean, draft: Draft): ValidateFunction {
  try {
    return compile(schema, draft, { validateSchema: false });
  } catch {
    // For a message that says where.
    return compileRead(schema, draft);
  }
}

const compileRead = (schema: object | boolean, draft: Draft): ValidateFunction =>
  compile(schema, draft, { validateSchema: true });

type How = Pick<Options, 'allErrors' | 'validateSchema'>;

function compilerOf(draft: Draft, how: How): Compiler {
  const module = load(draft) as { readonly default: new (options: Options) => Compiler };
  const options: Options = {
    ...how,
    // Unknown keywords and formats are annotations, as the standard has it.
    strict: false,
    logger: false,
    ownProperties: true,
    unicodeRegExp: false,
    formats: jsonFormats,
    code: { regExp: Object.assign(patternOf, { code: '' }) },
    addUsedSchema: false,
    // Else the schema of schemas is read at every start.
    meta: how.validateSchema === true,
  };
  const compiler = new module.default(options);
  // Ajv compares every element with every other.
  compiler.removeKeyword('uniqueItems');
  compiler.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (wanted: boolean, list: readonly unknown[]) => !wanted || isUnique(list),
  });
  return compiler;
}

function compile(schema: object | boolean, draft: Draft, how: How): ValidateFunction {
  const compiler = compilerOf(draft, how);
  try {
    return compiler.compile(schema);
  } catch (thrown) {
    throw new Error(readable(thrown, compiler.errors ?? []));
  }
}

function readable(thrown: unknown, errors: readonly SchemaError[]): string {
  const findings = findingsOf(errors).map((one) => `${one.pointer || 'it'} ${one.message}`);
  if (findings.length > 0) return findings.join('; ');
  const missing = (thrown as { readonly missingRef?: unknown } | null)?.missingRef;
  if (typeof missing === 'string')
    return `there is nothing at \`$ref\` ${missing}; it can only point into the same schema`;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function isSmall(value: unknown): boolean {
  let nodes = 0;
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (++nodes > maxNodesForAll) return false;
    if (typeof next === 'object' && next !== null) {
      const inner = Object.values(next);
      if (nodes + waiting.length + inner.length > maxNodesForAll) return false;
      waiting.push(...inner);
    }
  }
  return true;
}
