/** Rows → CSV (RFC 4180), with CR LF behind each. */
import { type Failure, failure } from '../errors.ts';
import type { CsvOptions } from './csv-options.ts';

type Row = Readonly<Record<string, unknown>> | readonly unknown[];

const unwritable = (detail: string): Failure => failure('malformed', { format: 'csv', action: 'written', detail });

/** The CSV of a list of maps, or of lists; a map alone is one row, a text is taken as CSV already. */
export function writeCsv(value: unknown, options: CsvOptions = {}): string {
  if (typeof value === 'string') return value;
  const rows = rowsOf(value);
  const { header = true, delimiter = ',' } = options;
  const harmless = options.escapeFormulas ? withoutFormula : asItIs;
  const lists = rows.length > 0 && Array.isArray(rows[0]);
  if (header && lists && !options.columns) {
    throw unwritable('rows that are lists have no names for a header: give `columns`, or say `header: false`');
  }
  const columns = options.columns ?? (lists ? undefined : columnsOf(rows));
  const field = fieldWriter(options);
  const line = (fields: readonly string[]): string => {
    const text = fields.join(delimiter);
    // Else it would be an empty line, which is no row.
    return `${text === '' ? field('', true) : text}\r\n`;
  };
  let text = header && columns && columns.length > 0 ? line(columns.map((name) => field(harmless(name)))) : '';
  for (const [index, row] of rows.entries())
    text += line(fieldsOf(row, index, columns, lists, harmless).map((one) => field(one)));
  return text;
}

function rowsOf(value: unknown): readonly Row[] {
  if (value === undefined || value === null) return [];
  const rows: readonly unknown[] = Array.isArray(value) ? value : [value];
  const odd = rows.findIndex(
    (row) => typeof row !== 'object' || row === null || Array.isArray(row) !== Array.isArray(rows[0]),
  );
  if (odd < 0) return rows as readonly Row[];
  const what =
    typeof rows[odd] === 'object' && rows[odd] !== null ? 'is a list where others are maps' : 'is no map and no list';
  throw unwritable(`row ${odd + 1} ${what}`);
}

function columnsOf(rows: readonly Row[]): readonly string[] {
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) names.add(name);
  return [...names];
}

function fieldsOf(
  row: Row,
  index: number,
  columns: readonly string[] | undefined,
  lists: boolean,
  harmless: (text: string) => string,
): readonly string[] {
  const text = (value: unknown, column: string | number): string =>
    typeof value === 'string' ? harmless(value) : plainText(value, () => `row ${index + 1}, column ${column}`);

  if (lists) {
    const values = row as readonly unknown[];
    if (columns && values.length !== columns.length) {
      throw unwritable(`row ${index + 1} has ${values.length} fields, and there are ${columns.length} columns`);
    }
    return values.map((value, at) => text(value, at + 1));
  }
  const fields = row as Readonly<Record<string, unknown>>;
  return (columns ?? []).map((name) => text(Object.hasOwn(fields, name) ? fields[name] : undefined, name));
}

function plainText(value: unknown, place: () => string): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  throw unwritable(`${place()}: a ${Array.isArray(value) ? 'list' : 'map'} has no form in CSV; make it a text before`);
}

/** A number is none: only a text can hide something behind its sign. */
const withoutFormula = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
const asItIs = (text: string): string => text;

function fieldWriter({ delimiter = ',', quote = '"' }: CsvOptions): (text: string, always?: boolean) => string {
  // A byte order mark at the very beginning would be taken for that of the file.
  const special = new RegExp(`[${RegExp.escape(delimiter)}${RegExp.escape(quote)}\r\n\uFEFF]`);
  return (text, always = false) =>
    always || special.test(text) ? quote + text.replaceAll(quote, quote + quote) + quote : text;
}
