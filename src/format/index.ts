/** The formats, and which one a content type asks for. Everything else is bytes. */
import { failure } from '../errors.ts';
import { asUtf8, parseContentType } from './content-type.ts';
import { csv } from './csv.ts';
import { form } from './form.ts';
import type { Format } from './format.ts';
import { json } from './json.ts';
import { jsonLines } from './json-lines.ts';
import { text } from './text.ts';
import { xml } from './xml.ts';

export { StreamDecoder } from './charset.ts';
export { type ContentType, parseContentType } from './content-type.ts';
export { type CsvOptions, csvProblem } from './csv-options.ts';
export type { Format } from './format.ts';
export type { FoundRecord } from './records.ts';

/** In the order of asking: text last, because `text/xml` is XML and `text/csv` CSV. */
export const formats: readonly Format[] = [json, xml, csv, jsonLines, form, text];

export function formatNamed(name: string): Format | undefined {
  return formats.find((format) => format.name === name);
}

/** The format of a content type; none given means JSON; undefined means that such bodies are bytes. */
export function formatFor(contentType: string | undefined): Format | undefined {
  if (contentType === undefined || contentType === '') return json;
  const { mediaType } = parseContentType(contentType);
  return formats.find((format) => format.matches(mediaType));
}

/**
 * The value of a body; an empty one has none. `options` are those of the format. Throws `unsupported-media-type` for
 * bytes, and `malformed` when the body is not what its content type says.
 */
export function readBody(bytes: Uint8Array, contentType: string | undefined, options?: object): unknown {
  if (bytes.length === 0) return undefined;
  const format = formatFor(contentType);
  if (format === undefined) throw failure('unsupported-media-type', { contentType });
  const charset = contentType === undefined ? undefined : parseContentType(contentType).charset;
  return format.read(bytes, charset, options);
}

export interface WrittenBody {
  /** A string is to be sent as UTF-8. */
  readonly bytes: Uint8Array | string;
  readonly contentType: string;
}

const isMarkup = (value: unknown): value is string => typeof value === 'string' && /^\s*</.test(value);

/**
 * The body for a value. Bytes stay bytes; text stays text where the content type is text or unknown to us, and where it
 * already is markup (XML); no content type means JSON. The charset that comes back is the one used: UTF-8.
 */
export function writeBody(value: unknown, contentType: string | undefined, options?: object): WrittenBody {
  if (value instanceof Uint8Array) return { bytes: value, contentType: contentType || 'application/octet-stream' };
  if (!contentType) return { bytes: json.write(value, options), contentType: json.mediaType };
  const format = formatFor(contentType);
  const asItIs = format === undefined ? typeof value === 'string' : format === xml && isMarkup(value);
  if (asItIs) return { bytes: String(value), contentType: asUtf8(contentType) };
  if (format === undefined) throw failure('unsupported-media-type', { contentType });
  return { bytes: format.write(value, options), contentType: asUtf8(contentType) };
}
