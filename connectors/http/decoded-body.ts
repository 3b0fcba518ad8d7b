import type { Readable } from 'node:stream';
import { Body, failure } from '#sdk';
import { codingsOf, decodeContent, knownCodings } from './decode.ts';
import { tooLarge } from './upload.ts';

export const isEncoded = (encoding: string): boolean => codingsOf(encoding).length > 0;

/** The body of a request that came compressed, as it was before; `limit` is for that as well. Throws `unsupported-encoding`. */
export function decodedBody(upload: Readable, encoding: string, limit: number, type: string | undefined): Body {
  const stream = decodeContent(upload, encoding, {
    unknown: (given) => failure('unsupported-encoding', { encoding: JSON.stringify(given), known: knownCodings }),
    unreadable: (detail, cause) => failure('malformed', { format: encoding, detail }, { cause }),
    most: { limit, tooLarge: () => tooLarge(limit) },
  });
  return Body.stream({ stream, length: undefined, limit, tooLarge }, type);
}
