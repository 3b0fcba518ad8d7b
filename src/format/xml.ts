/** XML ⇄ a value. The parser is loaded when the first XML comes along: most integrations never see any. */
import { createRequire } from 'node:module';
import { lazily } from '../core/lazily.ts';
import type { Format } from './format.ts';
import { type OnRecord, type RecordReader, tooLong } from './records.ts';
import { makePlan, type XmlOptions, xmlOptions } from './xml-options.ts';

export { type XmlOptions, xmlOptions } from './xml-options.ts';

const require = createRequire(import.meta.url);
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

/** The elements called `name`, one by one: each as a document with it as the root would be. */
export function elementReader(
  options: XmlOptions & { readonly name: string },
  onRecord: OnRecord,
  longest: number,
): RecordReader {
  let length = 0;
  let lines = 1;
  const elements = reader().readElements(options, {
    name: options.name,
    onElement: (value, line, size) =>
      onRecord(size > longest ? { problem: tooLong('xml', 'element', line, longest), line } : { value, line }),
    onProgress: () => {
      length = 0;
    },
  });
  return {
    write(text) {
      length += text.length;
      elements.write(text);
      if (length > longest) throw tooLong('xml', 'text or element', lines, longest);
      for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
    },
    end: () => void elements.end(),
  };
}
