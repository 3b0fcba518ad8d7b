import type { Contract } from '../core/contract.ts';
import { ExpressionSource, TemplateSource } from '../core/written.ts';
import { childPointer } from './node.ts';
import type { Schema } from './schema.ts';
import { parseDuration, parseRate, parseSize } from './units.ts';

const noContract: Contract = {
  path: '',
  operationIds: [],
  operation: () => undefined,
  used: () => [],
  problems: () => [],
  schemas: {},
  serverPath: undefined,
  serverUrl: undefined,
  securitySchemes: {},
};

/** The value of an option that the file does not set; `undefined` where the schema has no default. */
export function defaultValue(schema: Schema, pointer: string): unknown {
  const value = schema.default;
  if (value === undefined) return undefined;
  if (schema.template) return new TemplateSource(value, schema.template === true ? 'value' : schema.template, pointer);
  if (typeof value === 'string') return defaultText(schema, value, pointer);
  if (schema.type === 'object' && schema.properties && typeof value === 'object') {
    return { ...defaultsOf(schema, pointer), ...value };
  }
  return value;
}

function defaultText(schema: Schema, text: string, pointer: string): unknown {
  if (schema.format === 'duration') return parseDuration(text).value;
  if (schema.format === 'size') return parseSize(text).value;
  if (schema.format === 'rate') return parseRate(text).value;
  if (schema.format === 'expression') return new ExpressionSource(text, pointer);
  return text;
}

/** The defaults of an object's options. */
export function defaultsOf(schema: Schema, pointer: string): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const value = defaultValue(property, childPointer(pointer, key));
    if (value !== undefined) values[key] = value;
  }
  return values;
}

/**
 * A value of the right type in the place of one with a mistake, so that compiling goes on and finds the rest. An
 * integration with findings never runs, so it is never used.
 */
export function standIn(schema: Schema, pointer: string): unknown {
  const value = defaultValue(schema, pointer);
  if (value !== undefined) return value;
  if (schema.template) return new TemplateSource(null, schema.template === true ? 'value' : schema.template, pointer);
  if (schema.either?.[0]) return standIn(schema.either[0], pointer);
  if (schema.kind === 'steps') return [];
  if (schema.enum) return schema.enum[0];
  switch (schema.format) {
    case 'expression':
      return new ExpressionSource('null', pointer);
    case 'duration':
    case 'size':
      return schema.minimum ?? 1;
    case 'rate':
      return { count: 1, per: 1000 };
    case 'file':
      return { path: '', text: '', pointer };
    case 'openapi':
      return { path: '', text: '', pointer, contract: noContract };
    case 'uri':
      return 'http://unknown.invalid';
    case 'timezone':
      return 'UTC';
    default:
      return ofType(schema, pointer);
  }
}

function ofType(schema: Schema, pointer: string): unknown {
  switch (schema.type) {
    case 'string':
      return '';
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return false;
    case 'array':
      return [];
    case 'object':
      return requiredStandIns(schema, pointer);
    default:
      return null;
  }
}

function requiredStandIns(schema: Schema, pointer: string): Record<string, unknown> {
  const values = defaultsOf(schema, pointer);
  for (const key of schema.required ?? []) {
    const property = schema.properties?.[key];
    if (property && !Object.hasOwn(values, key)) values[key] = standIn(property, childPointer(pointer, key));
  }
  return values;
}
