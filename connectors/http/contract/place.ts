import type { ContractOperation, ContractParameter } from '#sdk';

/** The parameters of a call where they belong in its request. */
export interface Placed {
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
}

/** What was given for a parameter. */
export type Given = readonly (readonly [ContractParameter, unknown])[];

/** Writes parameters as their styles say. */
export function place({ path }: ContractOperation, given: Given): Placed {
  const inPath = new Map<string, string>();
  const query: Record<string, unknown> = {};
  const headers: Record<string, string> = {};
  const cookies: string[] = [];
  for (const [parameter, value] of given) {
    const { name, in: where } = parameter;
    if (where === 'path') inPath.set(name, simple(parameter, value, encodeURIComponent));
    else if (where === 'query') Object.assign(query, inQuery(parameter, value));
    else if (where === 'header') headers[name.toLowerCase()] = simple(parameter, value, (text) => text);
    else cookies.push(`${name}=${simple(parameter, value, encodeURIComponent)}`);
  }
  if (cookies.length > 0) headers['cookie'] = cookies.join('; ');
  return { path: path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => inPath.get(name) ?? ''), query, headers };
}

const text = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

/** `3`, `a,b`, and of an object `a,1,b,2`, or `a=1,b=2` where it is exploded. */
function simple({ mediaType, explode }: ContractParameter, value: unknown, encoded: (text: string) => string): string {
  const one = (part: unknown): string => encoded(text(part));
  if (mediaType !== undefined) return encoded(typeof value === 'string' ? value : JSON.stringify(value));
  if (Array.isArray(value)) return value.map(one).join(',');
  if (typeof value !== 'object' || value === null) return one(value);
  const joined = explode ? '=' : ',';
  return Object.entries(value)
    .map(([key, part]) => `${encoded(key)}${joined}${one(part)}`)
    .join(',');
}

const delimiters: Readonly<Record<string, string>> = { spaceDelimited: ' ', pipeDelimited: '|' };

function inQuery(
  { name, mediaType, style, explode }: ContractParameter,
  value: unknown,
): Readonly<Record<string, unknown>> {
  if (mediaType !== undefined) return { [name]: typeof value === 'string' ? value : JSON.stringify(value) };
  if (Array.isArray(value)) {
    return { [name]: explode ? value.map(text) : value.map(text).join(delimiters[style] ?? ',') };
  }
  if (typeof value !== 'object' || value === null) return { [name]: value };
  const fields = Object.entries(value);
  if (style === 'deepObject') return Object.fromEntries(fields.map(([key, one]) => [`${name}[${key}]`, text(one)]));
  if (explode) return Object.fromEntries(fields.map(([key, one]) => [key, Array.isArray(one) ? one : text(one)]));
  return { [name]: fields.flatMap(([key, one]) => [key, text(one)]).join(delimiters[style] ?? ',') };
}
