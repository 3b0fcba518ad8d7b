import { failureMatches } from '../../errors.ts';
import type { DeadLetter } from '../dead-letter.ts';

/** Which letters somebody means. */
export interface Filter {
  readonly flow?: string | undefined;
  /** A code, a class such as `http-5xx`, or a kind. */
  readonly code?: string | undefined;
  /** Given up at this time or later, and before that one: milliseconds since the epoch. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

export interface Query extends Filter {
  /** Newest first unless it says so. */
  readonly order?: 'newest' | 'oldest' | undefined;
  /** Letters of a page. */
  readonly limit: number;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
}

export const fits = ({ flow, code, kind, failedAt }: DeadLetter, filter: Filter): boolean =>
  (filter.flow === undefined || filter.flow === flow) &&
  (filter.code === undefined || failureMatches({ code, kind }, filter.code)) &&
  (filter.since === undefined || failedAt >= filter.since) &&
  (filter.until === undefined || failedAt < filter.until);
