import { parseContentType } from '#sdk';

const isJson = (contentType: string | undefined): boolean => {
  const { mediaType } = parseContentType(contentType ?? '');
  return mediaType === 'application/json' || mediaType.endsWith('+json');
};

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;

/**
 * JSON on one line. Between its tokens line breaks are white space, and inside its strings they cannot stand
 * (RFC 8259 §2, §7): so nothing is parsed, and no number loses a digit. Anything else stays as it is.
 */
export function asLine(bytes: Uint8Array, contentType: string | undefined): Uint8Array {
  if (!isJson(contentType)) return bytes;
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === lineFeed || bytes[end - 1] === carriageReturn)) end--;
  const content = bytes.subarray(0, end);
  if (!content.includes(lineFeed) && !content.includes(carriageReturn)) return content;
  return content.map((byte) => (byte === lineFeed || byte === carriageReturn ? space : byte));
}
