import type { ContractParameter } from '#sdk';

/** How messages call a parameter. */
export const titleOf = ({ name, in: place }: Pick<ContractParameter, 'name' | 'in'>): string =>
  `${place} parameter \`${name}\``;

/** Under what a parameter is found: names of headers are the same in any case. */
export const keyOf = ({ name, in: place }: Pick<ContractParameter, 'name' | 'in'>): string =>
  `${place} ${place === 'header' ? name.toLowerCase() : name}`;

/** Whether a parameter is read and written as its style says. */
export const isReadable = ({ style, in: place }: Pick<ContractParameter, 'style' | 'in'>): boolean =>
  place === 'query'
    ? style === 'form' || style === 'spaceDelimited' || style === 'pipeDelimited' || style === 'deepObject'
    : style === (place === 'cookie' ? 'form' : 'simple');

/** The keys of a template that is a map; none of one that is not written; `undefined`: nobody knows. */
export function keysOf(template: unknown): readonly string[] | undefined {
  if (template === undefined) return [];
  const value: unknown = (template as { readonly value?: unknown } | null)?.value;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : undefined;
}
