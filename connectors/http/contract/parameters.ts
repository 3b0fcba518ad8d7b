import type { ContractHeader, ContractParameter } from '#sdk';
import { itemOf, propertiesOf, type Shaped, typed, typesOf } from './shape.ts';

type Text = string | readonly string[] | undefined;
type Texts = Readonly<Record<string, Text>>;

/** Where the parameters of a request stand. */
export interface Written {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Texts;
  readonly headers: Texts;
}

/** What a parameter says; `problem`: in words why it says nothing. */
export type Said = { readonly value: unknown; readonly problem?: undefined } | { readonly problem: string } | undefined;

/** How lists and objects are written, for those styles that are read. */
const delimiters: Readonly<Record<string, string>> = {
  simple: ',',
  form: ',',
  spaceDelimited: ' ',
  pipeDelimited: '|',
};

/** The value of a parameter, with the types that its schema asks for. `undefined`: it is not there. */
export function said(parameter: ContractParameter, written: Written, all: Shaped['all']): Said {
  const shaped = { schema: parameter.schema, all };
  const types = typesOf(shaped);
  const isObject = types.has('object') && !types.has('string') && parameter.mediaType === undefined;
  if (parameter.in === 'query' && isObject && (parameter.style === 'deepObject' || parameter.explode)) {
    return spread(parameter, written.query, shaped);
  }
  return read(textOf(parameter, written), parameter, shaped);
}

function textOf({ name, in: place }: ContractParameter, { params, query, headers }: Written): Text {
  if (place === 'path') return params[name];
  if (place === 'query') return query[name];
  if (place === 'header') return headers[name.toLowerCase()];
  return cookies(headers['cookie']).get(name);
}

function cookies(header: Text): ReadonlyMap<string, string> {
  const pairs = [header ?? ''].flat().join(';').split(';');
  return new Map(
    pairs.flatMap((pair) => {
      const at = pair.indexOf('=');
      return at < 0 ? [] : [[pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const];
    }),
  );
}

/** A header of an answer, written as a parameter in the style `simple`. */
export const saidByHeader = (header: ContractHeader, text: Text, all: Shaped['all']): Said =>
  read(text, { ...header, style: 'simple', in: 'header' }, { schema: header.schema, all });

function read(
  text: Text,
  { mediaType, style, explode, in: place }: Pick<ContractParameter, 'mediaType' | 'style' | 'explode' | 'in'>,
  shaped: Shaped,
): Said {
  if (text === undefined) return undefined;
  const [first = '', ...more] = [text].flat();
  if (mediaType !== undefined) return more.length > 0 ? twice : document(first, mediaType);
  const types = typesOf(shaped);
  const isList = types.has('array') && !types.has('string');
  if (isList && explode && place === 'query')
    return { value: [first, ...more].map((one) => typed(one, itemOf(shaped))) };
  if (more.length > 0) return twice;
  const pieces = (): readonly string[] =>
    first.split(delimiters[style] ?? ',').map((one) => (place === 'header' ? one.trim() : one));
  if (isList) return { value: pieces().map((one) => typed(one, itemOf(shaped))) };
  if (types.has('object') && !types.has('string')) return { value: object(pieces(), explode, shaped) };
  return { value: typed(first, shaped) };
}

const twice = { problem: 'must be given once' } as const;

function document(text: string, mediaType: string): Said {
  if (!/\bjson\b/.test(mediaType)) return { value: text };
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { problem: 'must be JSON' };
  }
}

/** `a,1,b,2`, or `a=1,b=2` where it is exploded. */
function object(pieces: readonly string[], explode: boolean, shaped: Shaped): unknown {
  const properties = propertiesOf(shaped);
  const pairs = explode
    ? pieces.map((piece) => [piece.split('=', 1)[0] ?? '', piece.slice(piece.indexOf('=') + 1)] as const)
    : pieces.flatMap((piece, index) => (index % 2 === 0 ? [[piece, pieces[index + 1] ?? ''] as const] : []));
  return Object.fromEntries(pairs.map(([name, text]) => [name, typed(text, properties.get(name) ?? anything)]));
}

const anything: Shaped = { schema: true, all: {} };

/** An object whose fields are parameters of their own: `a=1&b=2`, or `filter[a]=1` (`deepObject`). */
function spread({ name, style }: ContractParameter, query: Texts, shaped: Shaped): Said {
  const value: Record<string, unknown> = {};
  for (const [field, inner] of propertiesOf(shaped)) {
    const text = query[style === 'deepObject' ? `${name}[${field}]` : field];
    if (text === undefined) continue;
    const types = typesOf(inner);
    const list = [text].flat().map((one) => typed(one, types.has('array') ? itemOf(inner) : inner));
    value[field] = types.has('array') && !types.has('string') ? list : list.length > 1 ? list : list[0];
  }
  return Object.keys(value).length === 0 ? undefined : { value };
}
