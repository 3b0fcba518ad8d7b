/** JSON pointers (RFC 6901). */
export const pointerOf = (base: string, path: readonly (string | number)[]): string =>
  base + path.map((part) => `/${pointed(String(part))}`).join('');

export const pointed = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');
