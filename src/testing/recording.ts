import type { Headers, Log } from '../core/exchange.ts';

/** A line that was logged. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What went out to an endpoint: one attempt. */
export interface RecordedCall {
  readonly endpoint: string;
  readonly connector: string;
  /** How many there were of the endpoint with this one. */
  readonly nth: number;
  /** The options of the call, evaluated. */
  readonly operation: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  readonly headers: Headers;
  readonly contentType: string | undefined;
  /** Virtual milliseconds since the test began. */
  readonly at: number;
  /** What became of it, in words: filled in when it is known. */
  outcome: string;
}

/** A mistake of the test that only its run shows. */
export interface Problem {
  readonly pointer: string;
  readonly message: string;
}

/** What happened in a test. */
export interface Recording {
  readonly calls: RecordedCall[];
  readonly lines: LogLine[];
  readonly problems: Problem[];
}

export const newRecording = (): Recording => ({ calls: [], lines: [], problems: [] });

/** Keeps what is logged. */
export function recordingLog(recording: Recording, debugging: boolean): Log {
  const at =
    (level: LogLine['level']) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
      void recording.lines.push({ level, message, fields });
  return {
    debug: debugging ? at('debug') : () => {},
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    debugging,
  };
}

export const isTrouble = ({ level }: LogLine): boolean => level === 'warn' || level === 'error';

/** A line as a person reads it: what was logged, where, and why. */
export function lineText({ message, fields }: LogLine): string {
  const where = [fields['place'] ?? fields['flow'], fields['code']].filter((one) => typeof one === 'string');
  const place = where.length === 0 ? '' : ` (${where.join(', ')})`;
  const { detail } = fields;
  return `${message}${place}${typeof detail === 'string' ? `: ${detail}` : ''}`;
}

/** The same problem is told once. */
export function addProblem(recording: Recording, problem: Problem): void {
  if (!recording.problems.some((one) => one.pointer === problem.pointer && one.message === problem.message)) {
    recording.problems.push(problem);
  }
}

/** A call in a few words: `POST /charges`. */
export function callTitle({ operation }: Pick<RecordedCall, 'operation'>): string {
  const { method, path, ...rest } = operation;
  const texts = [method, path].filter((one) => typeof one === 'string');
  if (texts.length > 0) return texts.join(' ');
  const named = Object.values(rest).filter((one) => typeof one === 'string');
  return named.join(' ');
}
