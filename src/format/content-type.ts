/** The `Content-Type` header (RFC 9110 §8.3), taken apart. */

export interface ContentType {
  /** Lower-case `type/subtype`; empty when the header has none. */
  readonly mediaType: string;
  /** Lower-case label, as given by the sender. */
  readonly charset: string | undefined;
}

const charsetParameter = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i;

function parse(header: string): ContentType {
  const semicolon = header.indexOf(';');
  const mediaType = (semicolon < 0 ? header : header.slice(0, semicolon)).trim().toLowerCase();
  const match = semicolon < 0 ? null : charsetParameter.exec(header);
  const charset = (match?.[1] ?? match?.[2])?.trim().toLowerCase();
  return Object.freeze({ mediaType, charset: charset === '' ? undefined : charset });
}

// A process sees a handful of content types, millions of times. Bounded, since senders choose what they write.
const known = new Map<string, ContentType>();
const most = 256;
const longest = 128;
// Comparing with it costs less than looking it up: a text that just came in has no hash yet.
let latest = '';
let latestParsed = parse(latest);

/** Media type and charset of the header. Other parameters are nobody's business here. */
export function parseContentType(header: string): ContentType {
  if (header === latest) return latestParsed;
  const remembered = known.get(header);
  const parsed = remembered ?? parse(header);
  if (header.length > longest) return parsed;
  if (!remembered) {
    if (known.size >= most) known.clear();
    known.set(header, parsed);
  }
  latest = header;
  latestParsed = parsed;
  return parsed;
}

/** The same header for a body that is UTF-8, whatever charset it named. */
export function asUtf8(header: string): string {
  const { charset } = parseContentType(header);
  if (charset === undefined || charset === 'utf-8') return header;
  return header.replace(charsetParameter, '; charset=utf-8');
}
