/** CSV (RFC 4180) ⇄ a list of rows. */
import { type CsvOptions, csvOptions } from './csv-options.ts';
import { readCsv } from './csv-read.ts';
import { writeCsv } from './csv-write.ts';
import type { Format } from './format.ts';

export const csv: Format = {
  name: 'csv',
  mediaType: 'text/csv; charset=utf-8',
  options: csvOptions,
  matches: (mediaType) => mediaType === 'text/csv',
  read: (bytes, charset, options?: CsvOptions) => readCsv(bytes, charset, options),
  write: (value, options?: CsvOptions) => writeCsv(value, options),
};
