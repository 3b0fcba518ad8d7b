import { ExpressionSource, type Rate } from '../core/written.ts';
import { habitValue } from './habits.ts';
import { nearest } from './nearest.ts';
import { describe, isNothing, type Node, type ScalarNode } from './node.ts';
import { checkSecret } from './open-secret.ts';
import type { Literal, ReadContext } from './read-context.ts';
import type { Schema } from './schema.ts';
import { standIn } from './stand-in.ts';
import { formatDuration, formatSize, type Parsed, parseDuration, parseRate, parseSize } from './units.ts';
import { keyPatterns, mismatch, titleOf } from './wording.ts';

/** A value that fits, or why not. */
type Fitted = { readonly value: string | number | boolean | Rate } | Misfit;

interface Misfit {
  readonly value?: undefined;
  readonly code: string;
  readonly message: string;
  readonly suggestion?: string | undefined;
}

/** Reads JSONata. Scalars that YAML takes for numbers or booleans (`when: true`) are expressions as well. */
export function readExpression(node: Node, schema: Schema, context: ReadContext): ExpressionSource {
  if (node.kind === 'scalar' && !isNothing(node) && node.text.trim() !== '') {
    context.expression(node, context.report);
    return new ExpressionSource(node.text, node.pointer);
  }
  const hint = node.kind === 'scalar' ? '' : '. Put it in quotes, or in a block that begins with `|`';
  context.report({
    severity: 'error',
    code: 'wrong-type',
    pointer: node.pointer,
    message: `${mismatch(node, schema)}${hint}`,
  });
  return new ExpressionSource('null', node.pointer);
}

/** Reads text, a number or a boolean, with `${NAME}` replaced. */
export function readScalar(node: Node, schema: Schema, context: ReadContext): unknown {
  if (node.kind !== 'scalar' || node.value === null) {
    const message = mismatch(node, schema);
    context.report({ severity: 'error', code: 'wrong-type', pointer: node.pointer, message });
    return standIn(schema, node.pointer);
  }
  if (schema.format === 'password') checkSecret(node, context);
  const literal = literalOf(node, context);
  if (literal === 'absent') return undefined;
  if (literal === 'reported' || literal === 'unknown') {
    context.standIn(node.pointer);
    return standIn(schema, node.pointer);
  }
  const typed = literal.coerced ? coerce(literal.text, schema) : node.value;
  const fitted = fit(node, typed, literal, schema);
  if (fitted.value === undefined) {
    const { code, message, suggestion } = fitted;
    context.report({ severity: 'error', code, message, pointer: node.pointer, suggestion });
    return standIn(schema, node.pointer);
  }
  return finished(fitted.value, node, schema, context);
}

function literalOf(node: ScalarNode, context: ReadContext): ReturnType<ReadContext['literal']> {
  if (typeof node.value === 'string') return context.literal(node, context.report);
  return { text: node.text, coerced: false, shown: describe(node) };
}

function coerce(text: string, schema: Schema): string | number | boolean {
  if (schema.type === 'integer' && /^[-+]?\d+$/.test(text)) return Number(text);
  if (schema.type === 'number' && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
  if (schema.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

function fit(node: ScalarNode, typed: string | number | boolean | null, literal: Literal, schema: Schema): Fitted {
  const wrong = (): Misfit => ({
    code: 'wrong-type',
    message: mismatch(node, schema, literal.shown),
    suggestion: typeSuggestion(typed, node, schema),
  });
  if (schema.type === 'integer' || schema.type === 'number') {
    if (typeof typed !== 'number' || (schema.type === 'integer' && !Number.isSafeInteger(typed))) return wrong();
    return inRange(typed, schema) ? { value: typed } : { ...wrong(), code: 'wrong-value' };
  }
  if (schema.type === 'boolean') return typeof typed === 'boolean' ? { value: typed } : wrong();
  if (schema.enum) return fitEnum(node, literal, schema.enum, schema);
  const unit = fitUnit(literal, schema, node);
  if (unit) return unit;
  // A value from config is text already, whatever YAML would have made of it.
  if (typeof typed !== 'string') return wrong();
  return fitText(literal.text, literal, node, schema);
}

const inRange = (value: number, schema: Schema): boolean =>
  value >= (schema.minimum ?? Number.NEGATIVE_INFINITY) && value <= (schema.maximum ?? Number.POSITIVE_INFINITY);

/** What to write where only quotes are missing, or are too many. */
function typeSuggestion(typed: string | number | boolean | null, node: ScalarNode, schema: Schema): string | undefined {
  if (schema.type === 'string' && typeof typed !== 'string' && !schema.format) {
    return new RegExp(schema.pattern ?? '').test(node.text) ? JSON.stringify(node.text) : undefined;
  }
  if (typeof typed !== 'string') return undefined;
  const meant = coerce(typed.trim(), schema);
  if (typeof meant !== 'string') return String(meant);
  const lower = typed.toLowerCase();
  if (schema.type !== 'boolean') return undefined;
  if (['yes', 'on', 'true'].includes(lower)) return 'true';
  return ['no', 'off', 'false'].includes(lower) ? 'false' : undefined;
}

function fitEnum(node: ScalarNode, literal: Literal, names: readonly string[], schema: Schema): Fitted {
  if (names.includes(literal.text)) return { value: literal.text };
  const why = schema.notTaken && Object.hasOwn(schema.notTaken, literal.text) && schema.notTaken[literal.text];
  if (why) return { code: 'wrong-value', message: `${titleOf(node.pointer)} cannot be \`${literal.text}\`: ${why}` };
  const suggestion = habitValue(literal.text, names) ?? nearest(literal.text, names);
  return { code: 'wrong-value', message: mismatch(node, schema, literal.shown), suggestion };
}

function fitUnit(literal: Literal, schema: Schema, node: ScalarNode): Fitted | undefined {
  const { format } = schema;
  if (format !== 'duration' && format !== 'size' && format !== 'rate') return undefined;
  const parse: (text: string) => Parsed<number | Rate> =
    format === 'duration' ? parseDuration : format === 'size' ? parseSize : parseRate;
  const parsed = parse(literal.text);
  if (parsed.value === undefined) {
    const message = `${titleOf(node.pointer)} is not a ${format}: found ${literal.shown}; ${parsed.problem}`;
    return { code: `bad-${format}`, message, suggestion: parsed.suggestion };
  }
  if (typeof parsed.value === 'number' && !inRange(parsed.value, schema)) {
    const shown = format === 'duration' ? formatDuration : formatSize;
    const limits = [
      ...(schema.minimum === undefined ? [] : [`at least ${shown(schema.minimum)}`]),
      ...(schema.maximum === undefined ? [] : [`at most ${shown(schema.maximum)}`]),
    ].join(' and ');
    return { code: 'wrong-value', message: `${titleOf(node.pointer)} must be ${limits}; found ${literal.shown}` };
  }
  return { value: parsed.value };
}

function fitText(text: string, literal: Literal, node: ScalarNode, schema: Schema): Fitted {
  const wrong = (code: string, suggestion?: string): Misfit => ({
    code,
    message: mismatch(node, schema, literal.shown),
    suggestion,
  });
  if (schema.format === 'uri' && !isUri(text)) {
    return wrong('bad-uri', !literal.coerced && /^[\w.-]+:\d+(\/|$)/.test(text) ? `http://${text}` : undefined);
  }
  if (schema.format === 'name' && !keyPatterns.name.test(text)) {
    const repaired = text
      .trim()
      .replace(/^\$/, '')
      .replaceAll(/[\s.]+/g, '-');
    return wrong('bad-name', keyPatterns.name.test(repaired) ? repaired : undefined);
  }
  if (schema.format === 'timezone' && !isTimeZone(text)) {
    return wrong('bad-timezone', nearest(text, Intl.supportedValuesOf('timeZone')));
  }
  if (schema.format !== undefined && text === '') return wrong('wrong-value');
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(text)) {
    if (schema.patternText !== undefined) return wrong('wrong-value');
    const message = `${titleOf(node.pointer)} must match \`${schema.pattern}\`; found ${literal.shown}`;
    return { code: 'wrong-value', message };
  }
  return { value: text };
}

/** An absolute URI. `localhost:8080` would be one with the scheme `localhost`, which nobody means. */
const isUri = (text: string): boolean =>
  /^[a-z][a-z0-9+.-]*:/i.test(text) && !/\s/.test(text) && !/^[\w.-]+:\d+(\/|$)/.test(text) && URL.canParse(text);

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }) !== undefined;
  } catch {
    return false;
  }
}

function finished(value: unknown, node: ScalarNode, schema: Schema, context: ReadContext): unknown {
  if (typeof value !== 'string') return value;
  if (schema.format === 'password') context.secret(value);
  else context.text(value);
  if (schema.format === 'path') return context.path(value);
  if (schema.format === 'openapi') return context.openapi(value, node, context.report) ?? standIn(schema, node.pointer);
  if (schema.format !== 'file') return value;
  return context.file(value, node, context.report) ?? standIn(schema, node.pointer);
}
