/** XML ⇄ a value. The parser is loaded when the first XML comes along: most integrations never see any. */
import { createRequire } from 'node:module';
import type { Format } from './format.ts';
import { makePlan, type XmlOptions, xmlOptions } from './xml-options.ts';

export { type XmlOptions, xmlOptions } from './xml-options.ts';

// `import()` would make reading asynchronous for everybody; Node can require ES modules, at once and only once.
const require = createRequire(import.meta.url);

const lazily = <T>(load: () => T): (() => T) => {
  let loaded: T | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
};
const reader = lazily(() => require('./xml-read.ts') as typeof import('./xml-read.ts'));
const writer = lazily(() => require('./xml-write.ts') as typeof import('./xml-write.ts'));

const isXml = (mediaType: string): boolean =>
  mediaType === 'application/xml' || mediaType === 'text/xml' || mediaType.endsWith('+xml');

export const xml: Format = {
  name: 'xml',
  mediaType: 'application/xml; charset=utf-8',
  options: xmlOptions,
  matches: isXml,
  read: (bytes, charset, options?: XmlOptions) => reader().readXml(bytes, charset, options),
  write: (value, options?: XmlOptions) => writer().writeXml(value, options),
};

/**
 * Reads the documents of a protocol: its own elements get the prefixes of `own`, whatever the document used; all other
 * names lose theirs, unless `options.namespaces` declares them.
 */
export function xmlReader(
  options: XmlOptions,
  own: Readonly<Record<string, string>>,
): (bytes: Uint8Array, charset: string | undefined) => unknown {
  const plan = makePlan(options, own);
  return (bytes, charset) => reader().readXmlBy(plan, bytes, charset);
}

export const writeXml = (value: unknown, options: XmlOptions): string => writer().writeXml(value, options);
