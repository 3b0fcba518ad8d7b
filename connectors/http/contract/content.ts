import { type ContractContent, parseContentType } from '#sdk';
import { asks, type Shape } from './shape.ts';

const essence = (contentType: string): string => parseContentType(contentType).mediaType;

/** The content that a body of this type is: the exact type, then a range of types. */
export function contentFor(
  contents: readonly ContractContent[],
  contentType: string | undefined,
): ContractContent | undefined {
  // As everywhere: what nobody gave a type is JSON.
  const type = contentType === undefined ? 'application/json' : essence(contentType);
  const range = `${type.slice(0, type.indexOf('/'))}/*`;
  for (const wanted of [type, range, '*/*']) {
    const found = contents.find(({ mediaType }) => essence(mediaType) === wanted);
    if (found) return found;
  }
  return undefined;
}

const isJson = (type: string): boolean => type === 'application/json' || type.endsWith('+json');
const isForm = (type: string): boolean => type === 'application/x-www-form-urlencoded';

/** Whether a schema can say anything about a body of this type: it describes values, and not XML, files or parts. */
export function isChecked(schema: unknown, contentType: string | undefined): boolean {
  if (!asks(schema)) return false;
  const type = contentType === undefined ? 'application/json' : essence(contentType);
  return isJson(type) || isForm(type) || type === 'text/plain';
}

/** A body as its schema sees it: the fields of a form are text, and have types there. */
export function asTyped(value: unknown, contentType: string | undefined, shape: Shape): unknown {
  if (contentType === undefined || !isForm(essence(contentType))) return value;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, one]): readonly [string, unknown] => {
    const inner = shape.properties.get(name);
    if (!inner) return [name, one];
    if (inner.isList) {
      return [name, [one].flat().map((each) => (typeof each === 'string' ? inner.item.typed(each) : each))];
    }
    return [name, typeof one === 'string' ? inner.typed(one) : one];
  });
  return Object.fromEntries(entries);
}

/** What a value without a type is written as: JSON where the contract has it, else the first that can be written. */
export function usualType(contents: readonly ContractContent[]): string | undefined {
  const types = contents.map(({ mediaType }) => essence(mediaType)).filter((type) => !type.includes('*'));
  const writable = (type: string): boolean =>
    isJson(type) || isForm(type) || type.startsWith('text/') || /\bxml$/.test(type);
  return types.find(isJson) ?? types.find(writable);
}
