/** The charset of an XML document (XML 1.0 appendix F, RFC 7303 §3). */
import { charsetOfMark } from './charset.ts';

const declaration = /^<\?xml\s[^>]*?\bencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']/;

/**
 * Byte order mark, then the charset of the content type, then the shape of the first bytes, then the XML declaration;
 * UTF-8 when nothing says otherwise. A declaration of UTF-16 that can be read byte by byte is wrong, as some programs
 * that write to a string first produce it: such a document is taken as UTF-8, which invalid bytes would disprove.
 */
export function charsetOfXml(bytes: Uint8Array, given: string | undefined): string {
  const known = charsetOfMark(bytes) ?? given;
  if (known !== undefined) return known;
  if (bytes[0] === 0x00 && bytes[1] === 0x3c) return 'utf-16be';
  if (bytes[0] === 0x3c && bytes[1] === 0x00) return 'utf-16le';
  if (bytes[0] !== 0x3c || bytes[1] !== 0x3f) return 'utf-8';
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 200)).toString('latin1');
  const declared = declaration.exec(head)?.[1]?.toLowerCase() ?? 'utf-8';
  return declared.startsWith('utf-16') ? 'utf-8' : declared;
}
