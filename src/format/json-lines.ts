/** JSON Lines (NDJSON): a JSON value on each line ⇄ a list. */
import { Failure } from '../errors.ts';
import { decode } from './charset.ts';
import type { Format } from './format.ts';
import { parseJson, writeJson } from './json.ts';
import { Lines } from './lines.ts';
import { malformedRecord, type OnRecord, type RecordReader } from './records.ts';

/** Reads the value of each line; an empty line is none. */
export function jsonLinesReader(onRecord: OnRecord, longest?: number): RecordReader {
  return new Lines(
    'jsonLines',
    (text, line) => {
      if (text.trim() === '') return;
      const read = readLine(text, line);
      onRecord(read instanceof Failure ? { problem: read, line } : { ...read, line });
    },
    onRecord,
    longest,
  );
}

function readLine(text: string, line: number): { readonly value: unknown } | Failure {
  try {
    return { value: parseJson(text) };
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    // What is found on a line has the number of that line.
    const detail = String(thrown.facts['detail']).replace(/^line 1, /, '');
    return malformedRecord('jsonLines', `line ${line}: ${detail}`);
  }
}

export function readJsonLines(bytes: Uint8Array, charset?: string): readonly unknown[] {
  const values: unknown[] = [];
  const reader = jsonLinesReader((record) => {
    if (record.problem) throw record.problem;
    values.push(record.value);
  });
  reader.write(decode(bytes, charset, 'jsonLines'));
  reader.end();
  return values;
}

/** A line for each element of a list; any other value is one line, a text is taken as lines already. */
export function writeJsonLines(value: unknown): string {
  if (typeof value === 'string') return value;
  const list: readonly unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return list.map((one) => `${writeJson(one)}\n`).join('');
}

const types: ReadonlySet<string> = new Set([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/jsonlines',
  'application/x-jsonlines',
]);

export const jsonLines: Format = {
  name: 'jsonLines',
  mediaType: 'application/x-ndjson',
  options: { type: 'object', properties: {} } as const,
  matches: (mediaType) => types.has(mediaType),
  read: (bytes, charset) => readJsonLines(bytes, charset),
  write: (value) => writeJsonLines(value),
};
