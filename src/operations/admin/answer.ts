import type { Failure } from '../../errors.ts';

/** What the admin server answers. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A value is sent as JSON, bytes as they are. */
  readonly body?: unknown;
}

/** An error as problem details (RFC 9457). */
export function problem(
  status: number,
  code: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const title = code.replaceAll('-', ' ');
  return {
    status,
    headers: { ...headers, 'content-type': 'application/problem+json' },
    body: {
      type: `urn:dowel:error:${code}`,
      title: title.charAt(0).toUpperCase() + title.slice(1),
      status,
      code,
      detail,
    },
  };
}

/** Whoever asks here may know what a caller of the integration is not told; what went wrong in Dowel is in the log. */
export function problemOf(error: Failure): Answer {
  const status = error.kind === 'cancelled' ? 503 : error.status;
  const known = Number.isInteger(status) && status >= 400 && status <= 599 ? status : 500;
  return problem(known, error.code, error.kind === 'bug' ? error.shown : error.message);
}
