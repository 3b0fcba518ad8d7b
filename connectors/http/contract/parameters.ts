import type { ContractHeader, ContractParameter } from '#sdk';
import type { Shape } from './shape.ts';

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
export function said(parameter: ContractParameter, written: Written, shape: Shape): Said {
  const isObject = shape.isObject && parameter.mediaType === undefined;
  if (parameter.in === 'query' && isObject && (parameter.style === 'deepObject' || parameter.explode)) {
    return spread(parameter, written.query, shape);
  }
  return read(textOf(parameter, written), parameter, shape);
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
      return at < 0 ? [] : [[pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())] as const];
    }),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A header of an answer, written as a parameter in the style `simple`. */
export const saidByHeader = (header: ContractHeader, text: Text, shape: Shape): Said =>
  read(text, { ...header, style: 'simple', in: 'header' }, shape);

function read(
  text: Text,
  { mediaType, style, explode, in: place }: Pick<ContractParameter, 'mediaType' | 'style' | 'explode' | 'in'>,
  shape: Shape,
): Said {
  if (text === undefined) return undefined;
  const [first = '', ...more] = [text].flat();
  if (mediaType !== undefined) return more.length > 0 ? twice : document(first, mediaType);
  const { isList, isObject, item } = shape;
  if (isList && explode && place === 'query') return { value: [first, ...more].map((one) => item.typed(one)) };
  if (more.length > 0) return twice;
  const pieces = (): readonly string[] =>
    first.split(delimiters[style] ?? ',').map((one) => (place === 'header' ? one.trim() : one));
  if (isList) return { value: pieces().map((one) => item.typed(one)) };
  if (isObject) return { value: object(pieces(), explode, shape) };
  return { value: shape.typed(first) };
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
function object(pieces: readonly string[], explode: boolean, { properties }: Shape): unknown {
  const pairs = explode
    ? pieces.map((piece) => [piece.split('=', 1)[0] ?? '', piece.slice(piece.indexOf('=') + 1)] as const)
    : pieces.flatMap((piece, index) => (index % 2 === 0 ? [[piece, pieces[index + 1] ?? ''] as const] : []));
  return Object.fromEntries(pairs.map(([name, text]) => [name, properties.get(name)?.typed(text) ?? text]));
}

/** An object whose fields are parameters of their own: `a=1&b=2`, or `filter[a]=1` (`deepObject`). */
function spread({ name, style }: ContractParameter, query: Texts, { properties }: Shape): Said {
  const value: Record<string, unknown> = {};
  for (const [field, inner] of properties) {
    const text = query[style === 'deepObject' ? `${name}[${field}]` : field];
    if (text === undefined) continue;
    const list = [text].flat().map((one) => (inner.isList ? inner.item : inner).typed(one));
    value[field] = inner.isList || list.length > 1 ? list : list[0];
  }
  return Object.keys(value).length === 0 ? undefined : { value };
}
