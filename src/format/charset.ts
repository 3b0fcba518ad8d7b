/** Bytes to text: strict, because a replacement character is data lost without a word. */
import { failure } from '../errors.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The charset that a byte order mark announces. */
export function charsetOfMark(bytes: Uint8Array): string | undefined {
  const first = bytes[0];
  if (first === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8';
  if (first === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (first === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return undefined;
}

function decoderOf(charset: string): typeof utf8 {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch (cause) {
    throw failure('unsupported-media-type', { contentType: `charset=${charset}` }, { cause });
  }
}

// Only on the way to a failure: decodes ever longer prefixes, halving, so the place costs a few decodings at most.
function firstInvalidByte(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      // `stream` accepts a prefix that ends inside a character.
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  // Up to three bytes before it may have begun the character that it does not continue.
  for (let back = 1; back <= 3; back += 1) {
    const byte = bytes[good - back] ?? 0;
    if (byte >= 0xc0) return byte >= (back === 1 ? 0xc0 : back === 2 ? 0xe0 : 0xf0) ? good - back : good;
    if (byte < 0x80) break;
  }
  return good;
}

/** The charset that counts: the byte order mark's, then the one that was given, then UTF-8. */
export const charsetOf = (bytes: Uint8Array, given: string | undefined): string =>
  charsetOfMark(bytes) ?? given ?? 'utf-8';

/**
 * The text of `bytes` in `charset` (a label of the WHATWG Encoding Standard; UTF-8 when undefined); a byte order mark
 * decides before it and is not part of the text. Throws `malformed` on invalid bytes.
 */
export function decode(bytes: Uint8Array, charset: string | undefined, format: string): string {
  const label = charsetOf(bytes, charset);
  const decoder = label === 'utf-8' ? utf8 : decoderOf(label);
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    const place = decoder.encoding === 'utf-8' ? ` (byte ${firstInvalidByte(bytes) + 1})` : '';
    throw failure(
      'malformed',
      { format, detail: `it is not valid ${decoder.encoding.toUpperCase()}${place}` },
      { cause },
    );
  }
}

/** As {@link decode}, for bytes that come piece by piece. */
export class StreamDecoder {
  readonly #format: string;
  readonly #charsetOf: (head: Uint8Array) => string;
  readonly #headSize: number;
  #head: Uint8Array = new Uint8Array(0);
  #decoder: typeof utf8 | undefined;
  #before = 0;

  /** `charsetOf` is shown the first `headSize` bytes, or all where there are fewer. */
  constructor(format: string, charsetOf: (head: Uint8Array) => string, headSize = 3) {
    this.#format = format;
    this.#charsetOf = charsetOf;
    this.#headSize = headSize;
  }

  decode(bytes: Uint8Array): string {
    if (this.#decoder) return this.#decoded(bytes, true);
    this.#head = Buffer.concat([this.#head, bytes]);
    return this.#head.length < this.#headSize ? '' : this.#begun(true);
  }

  end(): string {
    return this.#decoder ? this.#decoded(new Uint8Array(0), false) : this.#begun(false);
  }

  #begun(more: boolean): string {
    // One that is in the middle of a text is nobody else's.
    this.#decoder = decoderOf(this.#charsetOf(this.#head));
    const head = this.#head;
    this.#head = new Uint8Array(0);
    return this.#decoded(head, more);
  }

  #decoded(bytes: Uint8Array, more: boolean): string {
    try {
      const text = this.#decoder?.decode(bytes, { stream: more }) ?? '';
      this.#before += bytes.length;
      return text;
    } catch (cause) {
      const place = `between bytes ${this.#before + 1} and ${this.#before + Math.max(1, bytes.length)}`;
      const detail = `it is not valid ${(this.#decoder?.encoding ?? '').toUpperCase()} (${place})`;
      throw failure('malformed', { format: this.#format, detail }, { cause });
    }
  }
}
