/** What a connector says of itself, at once for all of its sources or by their options. */
export const saysSo = (said: boolean | ((options: unknown) => boolean) | undefined, options: unknown): boolean =>
  typeof said === 'function' ? said(options) : said === true;
