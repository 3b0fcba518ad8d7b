/** What to write where a map belongs, and something else stands. */
import type { Node, ScalarNode } from './node.ts';
import type { ReadContext } from './read-context.ts';
import { takes } from './read-unknown.ts';
import type { Schema } from './schema.ts';
import { parseDuration, parseRate } from './units.ts';
import { inOneLine, titleOf } from './wording.ts';

const isList = (schema: Schema | undefined): boolean => schema?.kind === 'steps' || schema?.type === 'array';
const isNamed = (schema: Schema | undefined): boolean => schema?.additionalProperties !== undefined;

/** For a list: where it belongs, or that its entries have names. */
export function listHint(node: Node & { readonly kind: 'list' }, schema: Schema, context: ReadContext): string {
  if (isNamed(schema)) return namesHint(node, schema, context);
  const needed = schema.required ?? [];
  const list = needed.find((key) => isList(schema.properties?.[key]));
  if (list !== undefined) return `. Put the list under \`${list}:\``;
  const named = needed.find((key) => isNamed(schema.properties?.[key]));
  if (named !== undefined) return `. Put it under \`${named}:\`, where each has a name`;
  return '. Write what is in it alone, without `- ` or `[ ]`';
}

function namesHint(node: Node & { readonly kind: 'list' }, schema: Schema, context: ReadContext): string {
  const inner = schema.additionalProperties;
  const isContent = (key: string): boolean =>
    takes(inner, key, context) || (isList(inner) && context.kinds.steps.has(key));
  const hasNames = node.items.every((item) => item.kind === 'map' && !item.entries.some(({ key }) => isContent(key)));
  if (node.items.length === 0) return '. Write `{}`, or its entries by name';
  if (hasNames) return '. Write its entries without `- `';
  const example = isList(inner) ? 'some-name: [ … ]' : 'some-name: { … }';
  return `. Give each entry of ${titleOf(node.pointer)} a name instead of its \`- \`: \`${example}\``;
}

/** For a single value: the map that it was meant to be, `{ maxAttempts: 3 }` for `3`. */
export function shorthand(node: ScalarNode, schema: Schema): string | undefined {
  const [only, ...more] = schema.required ?? [];
  if (only !== undefined && more.length === 0) {
    const { format, type } = schema.properties?.[only] ?? {};
    // What is no name cannot have been meant as one, nor a word as a list.
    if (type === 'array' || type === 'object') return undefined;
    const isOther = (format === 'name' || format === 'file') && /\s/.test(node.text);
    return `{ ${only}: ${isOther ? (format === 'name' ? 'some-name' : './some-file') : node.text} }`;
  }
  if (more.length > 0) return undefined;
  const options = Object.entries(schema.properties ?? {});
  if (schema.oneKey) return options.some(([name]) => name === node.text) ? `{ ${node.text}: {} }` : undefined;
  if (node.value === true) return options.length === 0 ? '{}' : undefined;
  const [key] = options.find(([name, inner]) => fits(node, inner) || isText(node, name, inner)) ?? [];
  return key === undefined ? undefined : inOneLine({ [key]: node.value });
}

/** What is said, and not what is chosen: `respond: hello`. */
const isText = ({ value }: ScalarNode, name: string, { template, any }: Schema): boolean =>
  name === 'default'
    ? any === true
    : typeof value === 'string' && template !== undefined && ['body', 'detail'].includes(name);

function fits({ value, text }: ScalarNode, { type, format, enum: words }: Schema): boolean {
  if (words) return words.includes(text);
  if (typeof value === 'number') return type === 'integer' || type === 'number';
  if (typeof value !== 'string') return false;
  if (format === 'duration') return parseDuration(text).value !== undefined;
  if (format === 'rate') return parseRate(text).value !== undefined;
  return format === 'cron' && /^(\S+ +){4,5}\S+$/.test(text);
}
