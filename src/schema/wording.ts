import { describe, type Node, pointerSegments } from './node.ts';
import type { Schema } from './schema.ts';

/** What keys may be that other places refer to, and those that name environment variables. */
export const keyPatterns = { name: /^[A-Za-z][A-Za-z0-9_-]*$/, variable: /^[A-Za-z_][A-Za-z0-9_]*$/ } as const;

/** `a`, `b` or `c` */
export function listed(names: readonly string[], last = 'or'): string {
  const quoted = names.map((name) => `\`${name}\``);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} ${last} ${quoted.at(-1)}`;
}

/** What a field of this schema takes, for "must be …". */
export function expected(schema: Schema): string {
  if (schema.either) return [...new Set(schema.either.map(expected))].join(', or ');
  if (schema.enum) return schema.enum.length === 1 ? listed(schema.enum) : `one of ${listed(schema.enum)}`;
  if (schema.kind === 'steps') return 'a list of steps, each beginning with `- `';
  const example = firstExample(schema);
  switch (schema.format) {
    case 'duration':
      return `a duration such as \`${example ?? '5s'}\``;
    case 'size':
      return `a size such as \`${example ?? '1mb'}\``;
    case 'rate':
      return `a rate such as \`${example ?? '10/s'}\``;
    case 'expression':
      return 'a JSONata expression, written as text';
    case 'openapi':
      return `a path such as \`${example ?? './api.yaml'}\``;
    case 'file':
    case 'path':
      return `a path such as \`${example ?? './order.schema.json'}\``;
    case 'uri':
      return schema.patternText ?? `a URI such as \`${example ?? 'http://localhost:8080'}\``;
    case 'name':
      return 'a name: letters, digits, `-` and `_`, beginning with a letter';
    case 'cron':
      return `a cron expression such as \`${example ?? '0 3 * * *'}\``;
    case 'timezone':
      return `a time zone such as \`${example ?? 'Europe/Zurich'}\``;
    default:
      return expectedType(schema, example);
  }
}

function expectedType(schema: Schema, example: string | undefined): string {
  const such = example === undefined ? '' : ` such as \`${example}\``;
  switch (schema.type) {
    case 'string':
      return schema.patternText ?? `text${such}`;
    case 'integer':
    case 'number':
      if (schema.minimum !== undefined && schema.minimum === schema.maximum) return `\`${schema.minimum}\``;
      return `${schema.type === 'integer' ? 'an integer' : 'a number'}${range(schema)}${such}`;
    case 'boolean':
      return '`true` or `false`';
    case 'array':
      return `a list${such}`;
    case 'object':
      return `a map${such}`;
    default:
      return `a value${such}`;
  }
}

export function range(schema: Schema): string {
  const { minimum, maximum } = schema;
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  return maximum === undefined ? '' : ` of at most ${maximum}`;
}

function firstExample(schema: Schema): string | undefined {
  const [example] = schema.examples ?? [];
  if (example === undefined) return undefined;
  return typeof example === 'string' ? example : inOneLine(example);
}

/** A value as YAML in one line. */
export function inOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inOneLine).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, one]) => `${key}: ${inOneLine(one)}`);
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
  }
  return typeof value === 'string' && /[^\w./-]/.test(value) ? `'${value.replaceAll("'", "''")}'` : String(value);
}

/** How messages call the value at a pointer: its key, or the number of the list's item. */
export function titleOf(pointer: string): string {
  const segments = pointerSegments(pointer);
  const last = segments.at(-1);
  if (last === undefined) return 'The file';
  if (!/^\d+$/.test(last)) return `\`${last}\``;
  const owner = segments.findLast((segment) => !/^\d+$/.test(segment));
  return owner === undefined ? `Item ${Number(last) + 1}` : `Item ${Number(last) + 1} of \`${owner}\``;
}

/** "`port` must be an integer, found the text "x"" */
export function mismatch(node: Node, schema: Schema, found: string = describe(node)): string {
  return `${titleOf(node.pointer)} must be ${expected(schema)}; found ${found}`;
}
