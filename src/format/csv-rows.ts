/** The text of CSV (RFC 4180) → rows of texts, as it comes in. */

export interface CsvRow {
  readonly fields: readonly string[];
  /** Where it begins, from 1. */
  readonly line: number;
  /** How many characters it has. */
  readonly length: number;
  /** Why it cannot be used: the rest of its line is skipped. */
  readonly problem?: string | undefined;
}

/** Where the next of a character is, from a place that only grows: each is looked for once, however often it is asked for. */
class Finder {
  readonly #wanted: string;
  #at = -1;

  constructor(wanted: string) {
    this.#wanted = wanted;
  }

  from(text: string, start: number): number {
    if (this.#at >= start) return this.#at;
    const found = text.indexOf(this.#wanted, start);
    this.#at = found < 0 ? Number.POSITIVE_INFINITY : found;
    return this.#at;
  }

  /** The text is another one. */
  reset(): void {
    this.#at = -1;
  }
}

const strayReturn = 'it has a carriage return that ends no line';

export class CsvRows {
  readonly #delimiter: string;
  readonly #quote: string;
  readonly #row: (row: CsvRow) => void;
  readonly #newlines = new Finder('\n');
  readonly #quotes: Finder;
  readonly #delimiters: Finder;
  #text = '';
  #line = 1;
  /** A row that was not complete is looked at again when there is twice as much of it. */
  #enough = 0;

  constructor(rules: { readonly delimiter: string; readonly quote: string }, row: (row: CsvRow) => void) {
    this.#delimiter = rules.delimiter;
    this.#quote = rules.quote;
    this.#row = row;
    this.#quotes = new Finder(rules.quote);
    this.#delimiters = new Finder(rules.delimiter);
  }

  /** The line of the row that is not complete yet. */
  get line(): number {
    return this.#line;
  }

  /** Takes more text, and gives what is complete; returns how many characters wait for the rest of their row. */
  write(text: string): number {
    this.#text += text;
    if (this.#text.length >= this.#enough) this.#read(false);
    return this.#text.length;
  }

  /** The last row need not end with a line end. */
  end(): void {
    this.#read(true);
  }

  #read(last: boolean): void {
    const text = this.#text;
    this.#newlines.reset();
    this.#quotes.reset();
    this.#delimiters.reset();
    let at = 0;
    while (at < text.length) {
      const next = this.#readRow(text, at, last);
      if (next < 0) break;
      at = next;
    }
    this.#text = text.slice(at);
    this.#enough = this.#text.length * 2;
  }

  /** Where the next row begins; -1 when this one is not complete. */
  #readRow(text: string, at: number, last: boolean): number {
    const newline = this.#newlines.from(text, at);
    const end = Math.min(newline, text.length);
    if (this.#quotes.from(text, at) < end) return this.#readQuoted(text, at, last);
    if (newline > text.length && !last) return -1;
    const line = withoutReturn(text, at, end);
    // An empty line is no row.
    if (line !== '') {
      const problem = line.includes('\r') ? strayReturn : undefined;
      this.#row({ fields: line.split(this.#delimiter), line: this.#line, length: line.length, problem });
    }
    this.#line++;
    return end + 1;
  }

  #readQuoted(text: string, from: number, last: boolean): number {
    const fields: string[] = [];
    let problem: string | undefined;
    for (let at = from; ; ) {
      const field =
        text[at] === this.#quote ? this.#quotedField(text, at, last) : this.#plainField(text, at, fields.length, last);
      if (field === 'incomplete') return -1;
      if (field === 'unclosed') {
        this.#give(fields, text, from, text.length, `the quote that begins field ${fields.length + 1} is never closed`);
        return text.length;
      }
      fields.push(field.value);
      problem = field.problem;
      at = field.end;
      const sign = text[at];
      if (problem === undefined && sign === this.#delimiter) at++;
      else if (problem === undefined && (sign === undefined || sign === '\n' || isLineEnd(text, at, last))) {
        if (sign === '\r' && at + 1 >= text.length && !last) return -1;
        return this.#give(fields, text, from, sign === '\r' ? at + 1 : at, undefined);
      } else {
        const end = this.#newlines.from(text, at);
        if (end > text.length && !last) return -1;
        return this.#give(
          fields,
          text,
          from,
          Math.min(end, text.length),
          problem ?? `field ${fields.length} goes on behind its closing quote; a quote inside is written twice`,
        );
      }
    }
  }

  #quotedField(text: string, at: number, last: boolean): Field | 'incomplete' | 'unclosed' {
    let value = '';
    for (let start = at + 1; ; ) {
      const close = this.#quotes.from(text, start);
      if (close > text.length) return last ? 'unclosed' : 'incomplete';
      if (text[close + 1] === this.#quote) {
        value += text.slice(start, close + 1);
        start = close + 2;
        continue;
      }
      // What comes next may be the second half of a doubled quote.
      if (close + 1 >= text.length && !last) return 'incomplete';
      return { value: value + text.slice(start, close), end: close + 1 };
    }
  }

  #plainField(text: string, at: number, index: number, last: boolean): Field | 'incomplete' {
    const newline = this.#newlines.from(text, at);
    const delimiter = this.#delimiters.from(text, at);
    const end = Math.min(newline, delimiter, text.length);
    if (end === text.length && !last) return 'incomplete';
    const value = delimiter < newline ? text.slice(at, end) : withoutReturn(text, at, end);
    if (this.#quotes.from(text, at) < end) {
      return { value, end, problem: `field ${index + 1} has a quote, and does not begin with one` };
    }
    return { value, end, problem: value.includes('\r') ? strayReturn : undefined };
  }

  #give(fields: readonly string[], text: string, from: number, end: number, problem: string | undefined): number {
    this.#row({ fields, line: this.#line, length: end - from, problem });
    for (let at = text.indexOf('\n', from); at >= 0 && at <= end; at = text.indexOf('\n', at + 1)) this.#line++;
    return end + 1;
  }
}

interface Field {
  readonly value: string;
  /** Of what stands behind it. */
  readonly end: number;
  readonly problem?: string | undefined;
}

/** A line without its line end, which may be CR LF. */
const withoutReturn = (text: string, at: number, end: number): string =>
  text.slice(at, end > at && text[end - 1] === '\r' ? end - 1 : end);

/** CR LF, or what may become one when more comes in. */
const isLineEnd = (text: string, at: number, last: boolean): boolean =>
  text[at] === '\r' && (text[at + 1] === '\n' || (at + 1 >= text.length && !last));
