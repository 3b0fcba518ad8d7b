/** Formats that are many records one behind the other: read piece by piece, in memory that does not grow with them. */
import { type Failure, failure } from '../errors.ts';

/** One record; or why this one cannot be read, though those behind it can. */
export type FoundRecord =
  | { readonly value: unknown; readonly line: number; readonly problem?: undefined }
  | { readonly problem: Failure; readonly line: number };

export type OnRecord = (record: FoundRecord) => void;

/** Takes the text as it comes; throws what no record behind it survives. */
export interface RecordReader {
  write(text: string): void;
  end(): void;
}

export const malformedRecord = (format: string, detail: string): Failure => failure('malformed', { format, detail });

/** A record that goes on and on: what comes in decides how long it is, and it must be held in full. */
export const tooLong = (format: string, what: string, line: number, longest: number): Failure =>
  malformedRecord(
    format,
    `line ${line}: a ${what} of more than ${longest} characters begins here${what === 'row' ? '; is a quote never closed?' : ''}`,
  );
