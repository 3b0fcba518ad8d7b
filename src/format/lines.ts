import { type OnRecord, type RecordReader, tooLong } from './records.ts';

/** Lines as the text comes in; they end with LF or CR LF. */
export class Lines implements RecordReader {
  readonly #format: string;
  readonly #onLine: (text: string, line: number) => void;
  readonly #onTooLong: OnRecord;
  readonly #longest: number;
  /** Pieces of a line that has not ended. */
  #begun: string[] = [];
  #length = 0;
  #line = 1;

  constructor(
    format: string,
    onLine: (text: string, line: number) => void,
    onTooLong: OnRecord,
    longest: number = Number.POSITIVE_INFINITY,
  ) {
    this.#format = format;
    this.#onLine = onLine;
    this.#onTooLong = onTooLong;
    this.#longest = longest;
  }

  write(text: string): void {
    let at = 0;
    for (let newline = text.indexOf('\n'); newline >= 0; newline = text.indexOf('\n', at)) {
      this.#give(text.slice(at, newline));
      at = newline + 1;
    }
    if (at === text.length) return;
    this.#begun.push(text.slice(at));
    this.#length += text.length - at;
    if (this.#length > this.#longest) throw tooLong(this.#format, 'line', this.#line, this.#longest);
  }

  /** What stands behind the last line end is a line, too, unless it is nothing. */
  end(): void {
    if (this.#length > 0) this.#give('');
  }

  #give(rest: string): void {
    const whole = this.#length === 0 ? rest : this.#begun.join('') + rest;
    this.#begun = [];
    this.#length = 0;
    const line = this.#line;
    if (whole.length > this.#longest) {
      this.#onTooLong({ problem: tooLong(this.#format, 'line', line, this.#longest), line });
    } else this.#onLine(whole.endsWith('\r') ? whole.slice(0, -1) : whole, line);
    this.#line++;
  }
}
