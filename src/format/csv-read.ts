/** CSV → one value for each row, as the text comes in. */
import { decode } from './charset.ts';
import type { CsvOptions } from './csv-options.ts';
import { type CsvRow, CsvRows } from './csv-rows.ts';
import type { OnRecord, RecordReader } from './records.ts';
import { malformedRecord, tooLong } from './records.ts';

type Shape = (fields: readonly string[]) => unknown;

/** Rows by the names of their columns, or as they are; nothing is coerced. */
export class CsvReader implements RecordReader {
  readonly #options: CsvOptions;
  readonly #onRecord: OnRecord;
  readonly #longest: number;
  readonly #rows: CsvRows;
  #columns: number | undefined;
  #shape: Shape | undefined;
  #count = 0;

  constructor(options: CsvOptions | undefined, onRecord: OnRecord, longest = Number.POSITIVE_INFINITY) {
    this.#options = options ?? {};
    this.#onRecord = onRecord;
    this.#longest = longest;
    const { delimiter = ',', quote = '"' } = this.#options;
    this.#rows = new CsvRows({ delimiter, quote }, (row) => this.#take(row));
    const { header = true, columns } = this.#options;
    if (!header && columns) this.#name(columns);
    else if (!header) this.#shape = (fields) => fields;
  }

  write(text: string): void {
    if (this.#rows.write(text) > this.#longest) throw tooLong('csv', 'row', this.#rows.line, this.#longest);
  }

  end(): void {
    this.#rows.end();
  }

  #name(names: readonly string[]): void {
    this.#columns = names.length;
    this.#shape = (fields) => {
      const value: Record<string, string> = {};
      for (let i = 0; i < names.length; i++) value[names[i] ?? ''] = fields[i] ?? '';
      return value;
    };
  }

  #take({ fields, line, length, problem }: CsvRow): void {
    if (!this.#shape) {
      const wrong = problem ?? headerProblem(fields, this.#options.columns);
      // Without names no row can be read.
      if (wrong !== undefined) throw malformedRecord('csv', `line ${line} (the header): ${wrong}`);
      this.#name(fields);
      return;
    }
    this.#count++;
    this.#columns ??= fields.length;
    const wrong =
      problem ??
      (fields.length === this.#columns
        ? undefined
        : `${fields.length} ${fields.length === 1 ? 'field' : 'fields'} instead of ${this.#columns}`);
    if (length > this.#longest) this.#onRecord({ problem: tooLong('csv', 'row', line, this.#longest), line });
    else if (wrong === undefined) this.#onRecord({ value: this.#shape(fields), line });
    else this.#onRecord({ problem: malformedRecord('csv', `line ${line} (row ${this.#count}): ${wrong}`), line });
  }
}

function headerProblem(names: readonly string[], wanted: readonly string[] | undefined): string | undefined {
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (name === '') return `column ${index + 1} has no name`;
    if (name === '__proto__') return 'no column can be called __proto__';
    if (seen.has(name)) return `the column ${name} is there twice`;
    seen.add(name);
  }
  const missing = wanted?.filter((name) => !seen.has(name)) ?? [];
  return missing.length === 0
    ? undefined
    : `${missing.length === 1 ? 'the column' : 'the columns'} ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing; there are ${names.join(', ')}`;
}

/** All rows. Throws `malformed`, with the line, for the first that cannot be used. */
export function readCsv(bytes: Uint8Array, charset?: string, options?: CsvOptions): readonly unknown[] {
  const rows: unknown[] = [];
  const reader = new CsvReader(options, (record) => {
    if (record.problem) throw record.problem;
    rows.push(record.value);
  });
  reader.write(decode(bytes, charset, 'csv'));
  reader.end();
  return rows;
}
