/** How sources and policies act on an error. */
export type Kind = 'definition' | 'transient' | 'permanent' | 'rejected' | 'cancelled' | 'bug';

export type Facts = Readonly<Record<string, unknown>>;

export interface Entry {
  readonly kind: Kind;
  /** The HTTP status a caller gets when nobody catches it. */
  readonly status: number;
  /** What happened, for the person who reads the answer or the log. */
  readonly text: (facts: Facts) => string;
  /** What a caller is told instead, where the text names what is none of its business: addresses, files, code. */
  readonly shown?: (facts: Facts) => string;
  /** What to do about it, printed in the reference. */
  readonly help: string;
}

/** Findings, names … as text. */
export const list = (value: unknown, separator = '; '): string =>
  Array.isArray(value) ? value.join(separator) : String(value);
