import { childPointer, isNothing, type Node, plainValue, type ScalarNode } from './node.ts';
import type { ReadContext } from './read-context.ts';
import type { Schema } from './schema.ts';
import { mismatch } from './wording.ts';

const hasHole = (text: string): boolean => text.includes('${{');

/**
 * Reads a value whose strings may hold `${{ }}`. What has no hole is checked by the schema at once; what a hole yields
 * is known only for a message.
 */
export function readTemplate(node: Node, schema: Schema, context: ReadContext): unknown {
  if (node.kind === 'scalar') return readLeaf(node, schema, context);
  const fits =
    schema.type === undefined
      ? schema.format === undefined && schema.enum === undefined
      : schema.type === (node.kind === 'list' ? 'array' : 'object');
  if (!fits) {
    context.report({
      severity: 'error',
      code: 'wrong-type',
      pointer: node.pointer,
      message: mismatch(node, schema),
    });
    return plainValue(node);
  }
  if (node.kind === 'list') return node.items.map((item) => readTemplate(item, schema.items ?? {}, context));
  reportMissing(node, schema, context);
  return Object.fromEntries(
    node.entries.map((entry) => {
      const inner = schema.properties?.[entry.key] ?? schema.additionalProperties ?? {};
      return [entry.key, readTemplate(entry.value, inner, context)];
    }),
  );
}

function reportMissing(node: Node & { readonly kind: 'map' }, schema: Schema, context: ReadContext): void {
  for (const key of schema.required ?? []) {
    if (node.entries.some((entry) => entry.key === key)) continue;
    context.report({
      severity: 'error',
      code: 'missing-key',
      at: 'key',
      pointer: node.pointer,
      message: `\`${key}\` is missing here`,
    });
    context.standIn(childPointer(node.pointer, key));
  }
}

function readLeaf(node: ScalarNode, schema: Schema, context: ReadContext): unknown {
  const value = typeof node.value === 'string' ? context.template(node, context.report) : node.value;
  if (typeof value === 'string' && hasHole(value)) return value;
  // Text may come from config, whose types the declaration has checked; what was written here is checked here.
  const problem = value === node.value ? leafProblem(node, schema) : undefined;
  if (problem === undefined) return value;
  context.report({
    severity: 'error',
    code: problem.code,
    pointer: node.pointer,
    message: problem.message,
    suggestion: problem.suggestion,
  });
  return value;
}

interface Problem {
  readonly code: string;
  readonly message: string;
  readonly suggestion?: string | undefined;
}

function leafProblem(node: ScalarNode, schema: Schema): Problem | undefined {
  const wrong = (suggestion?: string, code = 'wrong-type'): Problem => {
    const hole = schema.type === undefined ? '' : ', or a hole `${{ }}`';
    const message = mismatch(node, schema).replace('; found', `${hole}; found`);
    return { code, message, suggestion };
  };
  const { value } = node;
  if (schema.enum)
    return typeof value === 'string' && schema.enum.includes(value) ? undefined : wrong(undefined, 'wrong-value');
  switch (schema.type) {
    case undefined:
      return undefined;
    case 'string':
      if (typeof value === 'string') return undefined;
      return isNothing(node) ? wrong() : wrong(JSON.stringify(node.text));
    case 'boolean':
      return typeof value === 'boolean' ? undefined : wrong();
    case 'integer':
    case 'number': {
      if (typeof value !== 'number' || (schema.type === 'integer' && !Number.isInteger(value))) return wrong();
      const inside = value >= (schema.minimum ?? value) && value <= (schema.maximum ?? value);
      return inside ? undefined : wrong(undefined, 'wrong-value');
    }
    default:
      return wrong();
  }
}
