/** What a message can end with: a Failure, made from the table or by the file, and how it is recognised. */
import { type Entry, errorTable, type Facts, type Kind } from './error-table.ts';

export { errorTable, type Facts, type Kind } from './error-table.ts';

/** Whether anything outside was changed: nothing, something for sure, or nobody can say. */
export type Outcome = 'none' | 'partial' | 'unknown';

export type KnownCode = keyof typeof errorTable;

/** An error of a message: a stable `code`, a `kind` that decides what happens to the message, and facts. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: string;
  readonly kind: Kind;
  /** The HTTP status for a caller when nobody catches it. */
  readonly status: number;
  /** The message for a caller. */
  readonly shown: string;
  /** What is known about it. */
  readonly facts: Facts;
  /** Where it happened, such as `place-order/steps/3 "Charge the card"`; set once, by the innermost step. */
  place: string | undefined;
  /** What the message had done by then; the engine sets it when the flow ends. */
  outcome: Outcome = 'none';
  /** An attempt before this one may have done what was asked, whatever this one met. */
  doubtful = false;

  constructor(
    code: string,
    kind: Kind,
    status: number,
    message: string,
    facts: Facts,
    cause?: unknown,
    shown = message,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.kind = kind;
    this.status = status;
    this.facts = facts;
    this.shown = shown;
  }
}

// Capturing a stack costs more than all the rest of a failure; only bugs need one, and they have their cause's.
const withoutStack = <T>(make: () => T): T => {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = limit;
  }
};

/** Makes the error `code` of the table; `facts` fill its text. */
export function failure(
  code: KnownCode,
  facts: Facts = {},
  options: { cause?: unknown; status?: number; kind?: Kind } = {},
): Failure {
  const entry: Entry = errorTable[code];
  const { kind = entry.kind, status = entry.status, cause } = options;
  return withoutStack(() => new Failure(code, kind, status, entry.text(facts), facts, cause, entry.shown?.(facts)));
}

/** An error with a code that is not in the table: an `http-404` of a far side, or the code of a `fail` step. */
export function customFailure(code: string, kind: Kind, status: number, message: string, facts: Facts = {}): Failure {
  return withoutStack(() => new Failure(code, kind, status, message, facts));
}

/** The failure for an answer with a status that was not expected: 408, 425, 429 and 5xx are transient (RFC 9110 §15). */
export function httpFailure(status: number, facts: Facts): Failure {
  const transient =
    status >= 500 ? status !== 501 && status !== 505 : status === 408 || status === 425 || status === 429;
  return customFailure(
    `http-${status}`,
    transient ? 'transient' : 'permanent',
    502,
    `${facts['endpoint'] ?? 'The far side'} answered ${status}`,
    { status, ...facts },
  );
}

/** The same error, for another message. */
export function copyOf({ code, kind, status, message, facts, cause, place }: Failure): Failure {
  const copy = withoutStack(() => new Failure(code, kind, status, message, facts, cause));
  copy.place = place;
  return copy;
}

/** The text of whatever was thrown, which need not be an Error, nor have a text. */
export function detailOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  return typeof thrown === 'object' && thrown !== null ? 'what was thrown is no Error' : String(thrown);
}

/** Whatever was thrown, as a Failure: what is not one is a bug of ours. */
export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  if (thrown instanceof RangeError && /call stack/i.test(thrown.message)) {
    return failure('malformed', { detail: 'it is nested too deeply' }, { cause: thrown });
  }
  return failure('bug', { detail: detailOf(thrown) }, { cause: thrown });
}

const unusableAnswer: ReadonlySet<string> = new Set(['response-too-large', 'contract-answer', 'unknown-outcome']);

/** Whether an outside effect happened when a call of it failed. */
export function outcomeOf(error: Failure): 'none' | 'unknown' {
  // It did what was asked; only its answer cannot be used.
  if (error.doubtful || unusableAnswer.has(error.code)) return 'unknown';
  if (error.kind === 'rejected' || error.kind === 'permanent') return 'none';
  return error.facts['sent'] === false ? 'none' : 'unknown';
}

/** The codes of the table, and the kinds. */
export const errorNames: ReadonlySet<string> = new Set([
  ...Object.keys(errorTable),
  ...Object.values(errorTable).map((entry) => entry.kind),
]);

/** Whether `selector` (a code, a class such as `http-5xx`, or a kind) names this failure. */
export function failureMatches(error: Pick<Failure, 'code' | 'kind'>, selector: string): boolean {
  if (selector === error.code || selector === error.kind) return true;
  return (
    /^http-[1-5]xx$/.test(selector) && error.code.startsWith(selector.slice(0, 6)) && /^http-\d{3}$/.test(error.code)
  );
}
