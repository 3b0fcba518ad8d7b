/** What `split` can take apart, piece by piece. */
import { charsetOf } from './charset.ts';
import { type CsvOptions, csvOptions } from './csv-options.ts';
import { CsvReader } from './csv-read.ts';
import { JsonArrayReader } from './json-array.ts';
import { jsonLinesReader } from './json-lines.ts';
import { Lines } from './lines.ts';
import type { OnRecord, RecordReader } from './records.ts';
import { elementReader, type XmlOptions, xmlOptions } from './xml.ts';
import { charsetOfXml } from './xml-charset.ts';

export interface RecordFormat {
  /** The name in `split: { by: … }`, and the key its options stand under. */
  readonly name: string;
  /** JSON Schema of the options; absent = there are none. */
  readonly options?: object;
  /** How many bytes from the beginning {@link charset} wants to see. */
  readonly head: number;
  charset(head: Uint8Array, given: string | undefined): string;
  /** `longest`: how many characters one record may have. */
  reader(options: unknown, onRecord: OnRecord, longest: number): RecordReader;
}

const plain = { head: 3, charset: charsetOf };
const { arrays, namespaces, mixed, coerce } = xmlOptions.properties;

const elementOptions = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: '.',
      patternText: 'text that is not empty',
      description: 'Name of the elements to take out, wherever they stand; with the prefix that `namespaces` gives it.',
      examples: ['item'],
    },
    arrays,
    namespaces,
    mixed,
    coerce,
  },
  required: ['name'],
} as const;

export const recordFormats: readonly RecordFormat[] = [
  {
    ...plain,
    name: 'csv',
    options: csvOptions,
    reader: (options, onRecord, longest) => new CsvReader(options as CsvOptions | undefined, onRecord, longest),
  },
  { ...plain, name: 'jsonLines', reader: (_, onRecord, longest) => jsonLinesReader(onRecord, longest) },
  { ...plain, name: 'jsonArray', reader: (_, onRecord, longest) => new JsonArrayReader(onRecord, longest) },
  {
    name: 'xmlElement',
    options: elementOptions,
    head: 256,
    charset: charsetOfXml,
    reader: (options, onRecord, longest) =>
      elementReader(options as XmlOptions & { readonly name: string }, onRecord, longest),
  },
  {
    ...plain,
    name: 'lines',
    reader: (_, onRecord, longest) => new Lines('text', (value, line) => onRecord({ value, line }), onRecord, longest),
  },
];
