/** What a format is: bytes of one kind of media type ⇄ a plain value. */

/** The deepest nesting that is read or written. Deeper documents are attacks or mistakes, and they end recursion. */
export const maxDepth = 200;

export interface Format {
  /** The name in `convert: { to: … }`, and the key its options stand under. */
  readonly name: 'json' | 'xml' | 'csv' | 'jsonLines' | 'form' | 'text';
  /** The content type that `convert` sets. */
  readonly mediaType: string;
  /** JSON Schema of the options under the format's name. */
  readonly options: object;
  /** Whether bodies of this media type (lower-case `type/subtype`, no parameters) are of this format. */
  matches(mediaType: string): boolean;
  /**
   * The value that `bytes` stand for. Throws `malformed` when they are not of this format, and
   * `unsupported-media-type` when nobody knows the charset. A byte order mark outranks `charset`.
   */
  read(bytes: Uint8Array, charset: string | undefined, options?: object): unknown;
  /** The text of `value`, to be sent as UTF-8. Throws `malformed` when the value has no such form. */
  write(value: unknown, options?: object): string;
}
