import { nearest } from './nearest.ts';
import { childPointer } from './node.ts';

// Of all drafts, and of OpenAPI, whose schemas are pasted here.
const keywords = new Set(
  `$schema $id $ref $anchor $dynamicRef $dynamicAnchor $recursiveRef $recursiveAnchor $vocabulary $comment $defs
  definitions id type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern
  items additionalItems prefixItems unevaluatedItems maxItems minItems uniqueItems contains maxContains minContains
  properties patternProperties additionalProperties unevaluatedProperties propertyNames maxProperties minProperties
  required dependencies dependentRequired dependentSchemas if then else allOf anyOf oneOf not format contentEncoding
  contentMediaType contentSchema title description default examples example deprecated readOnly writeOnly nullable
  discriminator externalDocs xml`.split(/\s+/),
);

const inner = ['items', 'additionalItems', 'unevaluatedItems', 'contains', 'additionalProperties', 'propertyNames'];
const one = new Set([...inner, 'unevaluatedProperties', 'contentSchema', 'if', 'then', 'else', 'not']);
const listed = new Set(['items', 'prefixItems', 'allOf', 'anyOf', 'oneOf']);
const named = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies']);

export interface Misspelt {
  /** Of the key in the schema. */
  readonly pointer: string;
  readonly keyword: string;
  readonly meant: string;
}

/** Keys that JSON Schema does not know, and takes for notes, but that look like keywords of it. */
export function misspeltKeywords(schema: unknown, pointer = ''): readonly Misspelt[] {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return [];
  return Object.entries(schema).flatMap(([keyword, value]): readonly Misspelt[] => {
    const at = childPointer(pointer, keyword);
    if (listed.has(keyword) && Array.isArray(value)) return inEach(value, at);
    if (one.has(keyword)) return misspeltKeywords(value, at);
    if (named.has(keyword) && typeof value === 'object' && value !== null) return inEach(value, at);
    if (keywords.has(keyword) || keyword.startsWith('x-')) return [];
    const meant = nearest(keyword, keywords);
    return meant === undefined ? [] : [{ pointer: at, keyword, meant }];
  });
}

const inEach = (values: object, at: string): readonly Misspelt[] =>
  Object.entries(values).flatMap(([key, value]) => misspeltKeywords(value, childPointer(at, key)));
