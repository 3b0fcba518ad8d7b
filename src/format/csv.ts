/** CSV (RFC 4180) ⇄ a list of rows. What reads and writes them is loaded when the first CSV comes along. */
import { createRequire } from 'node:module';
import { lazily } from '../core/lazily.ts';
import { type CsvOptions, csvOptions } from './csv-options.ts';
import type { Format } from './format.ts';

const require = createRequire(import.meta.url);
const reader = lazily(() => require('./csv-read.ts') as typeof import('./csv-read.ts'));
const writer = lazily(() => require('./csv-write.ts') as typeof import('./csv-write.ts'));

export const csv: Format = {
  name: 'csv',
  mediaType: 'text/csv; charset=utf-8',
  options: csvOptions,
  matches: (mediaType) => mediaType === 'text/csv',
  read: (bytes, charset, options?: CsvOptions) => reader().readCsv(bytes, charset, options),
  write: (value, options?: CsvOptions) => writer().writeCsv(value, options),
};
