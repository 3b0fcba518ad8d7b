/**
 * Reads a YAML node by a {@link Schema} literal into the typed value ({@link Infer}). Every mistake is reported once,
 * where it stands; in its place comes a stand-in of the right type, so that the rest is read, and compiled, as well.
 *
 * Not Ajv: one mistake there is several errors that must be guessed back into one, and compiling the language's schema
 * costs more than the whole start.
 */
import { TemplateSource } from '../core/written.ts';
import type { Infer } from './infer.ts';
import { nearest } from './nearest.ts';
import { describe, isNothing, type Node, plainValue, type ScalarNode } from './node.ts';
import { checkUrl } from './open-secret.ts';
import { onTrial, type ReadContext, type Trail } from './read-context.ts';
import { readObject } from './read-object.ts';
import { readExpression, readScalar } from './read-scalar.ts';
import { readSteps } from './read-steps.ts';
import { readTemplate } from './read-template.ts';
import type { Schema } from './schema.ts';
import { standIn } from './stand-in.ts';
import { expected, mismatch, titleOf } from './wording.ts';

/** Reads `node` by `schema`. `undefined` only where the value is optional config that is not set. */
export function readValue<const S extends Schema>(node: Node, schema: S, context: ReadContext): Infer<S> {
  // The one place where the reader's result meets its type: `read` follows the marks in the order that `Infer` does.
  return read(node, schema, context, undefined) as Infer<S>;
}

export type ReadNode = (node: Node, schema: Schema, context: ReadContext, trail: Trail | undefined) => unknown;

const read: ReadNode = (node, schema, context, trail) => {
  if (schema.template) {
    const mode = schema.template === true ? 'value' : schema.template;
    return new TemplateSource(readTemplate(node, schema, context), mode, node.pointer);
  }
  if (schema.either) return readEither(node, schema, schema.either, context, trail);
  if (schema.any) return plainValue(node);
  if (schema.format === 'expression') return readExpression(node, schema, context);
  if (schema.kind === 'steps') return readSteps(node, schema, context, trail, read);
  if (schema.type === 'array') return readList(node, schema, context, trail);
  if (schema.type === 'object' || schema.properties || schema.oneKey) {
    return readObject(node, schema, context, trail, read);
  }
  if (schema.type === undefined && !schema.enum && !schema.format) return plainValue(node);
  if (schema.format === 'uri' && node.kind === 'scalar') checkUrl(node, context);
  return readScalar(node, schema, context);
};

function readList(node: Node, schema: Schema, context: ReadContext, trail: Trail | undefined): unknown {
  const items = schema.items ?? { any: true };
  if (node.kind !== 'list') return notAList(node, schema, items, context);
  if (schema.minItems !== undefined && node.items.length < schema.minItems) {
    const count = schema.minItems === 1 ? 'at least one item' : `at least ${schema.minItems} items`;
    context.report({
      severity: 'error',
      code: 'too-few',
      pointer: node.pointer,
      message: `${titleOf(node.pointer)} needs ${count}; found ${describe(node)}`,
    });
  }
  return node.items.map((item) => read(item, items, context, trail)).filter((value) => value !== undefined);
}

function notAList(node: Node, schema: Schema, items: Schema, context: ReadContext): unknown {
  const single = node.kind === 'scalar' && !isNothing(node) && !items.properties && items.type !== 'array';
  const hint = single
    ? `. One item is written \`[${node.text}]\``
    : node.kind === 'map' && (items.type === 'object' || items.properties)
      ? '. Begin each item with `- `'
      : '';
  context.report({
    severity: 'error',
    code: 'wrong-type',
    pointer: node.pointer,
    message: `${mismatch(node, schema)}${hint}`,
    ...(single ? { suggestion: `[${node.text}]` } : {}),
  });
  return standIn(schema, node.pointer);
}

const accepts = (node: Node, schema: Schema): boolean => {
  if (schema.template) return true;
  if (schema.any) return schema.type !== 'object' || node.kind === 'map';
  if (schema.either) return schema.either.some((one) => accepts(node, one));
  if (schema.kind === 'steps' || schema.type === 'array') return node.kind === 'list';
  if (schema.type === 'object' || schema.properties) return node.kind === 'map';
  return node.kind === 'scalar' && acceptsScalar(node, schema);
};

function acceptsScalar(node: ScalarNode, schema: Schema): boolean {
  if (node.value === null) return false;
  if (schema.enum) return schema.enum.includes(node.text);
  // One `${NAME}` may become any type.
  if (typeof node.value === 'string' && /^\$\{\w+\}$/.test(node.text)) return true;
  if (schema.type === 'integer' || schema.type === 'number') return typeof node.value === 'number';
  if (schema.type === 'boolean') return typeof node.value === 'boolean';
  return typeof node.value === 'string' || schema.format === 'expression';
}

function readEither(
  node: Node,
  schema: Schema,
  alternatives: readonly Schema[],
  context: ReadContext,
  trail: Trail | undefined,
): unknown {
  const possible = alternatives.filter((one) => accepts(node, one));
  const [first, ...others] = possible;
  if (!first) {
    context.report({
      severity: 'error',
      code: 'wrong-type',
      pointer: node.pointer,
      message: `${titleOf(node.pointer)} must be ${expected(schema)}; found ${describe(node)}`,
      suggestion:
        node.kind === 'scalar'
          ? nearest(
              node.text,
              alternatives.flatMap((one) => one.enum ?? []),
            )
          : undefined,
    });
    context.standIn(node.pointer);
    return standIn(schema, node.pointer);
  }
  if (others.length === 0) return read(node, first, context, trail);
  // Several of the same YAML type (`all`, `any` or a number from config): the first that fits without a finding.
  for (const one of possible) {
    const trial = onTrial(context);
    read(node, one, trial.context, trail);
    if (trial.errors.length === 0) return read(node, one, context, trail);
  }
  return read(node, first, context, trail);
}
