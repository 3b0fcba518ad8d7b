import type { Failure } from '#sdk';

/** An error as an answer: problem details (RFC 9457), never with a stack, never as a success. */
export interface Problem {
  readonly status: number;
  readonly headers: readonly string[];
  readonly text: string;
}

export const problemType = 'application/problem+json';

export function problemOf(error: Failure, id: string | undefined): Problem {
  const status = statusOf(error);
  const title = error.code.replaceAll('-', ' ');
  const findings = error.facts['findings'];
  const text = JSON.stringify({
    type: `urn:dowel:error:${error.code}`,
    title: title.charAt(0).toUpperCase() + title.slice(1),
    status,
    detail: error.kind === 'bug' ? 'An internal error; the log names it under this id.' : error.message,
    code: error.code,
    id,
    outcome: error.outcome,
    findings: Array.isArray(findings) ? findings : undefined,
  });
  return { status, headers: headersOf(error), text };
}

function statusOf(error: Failure): number {
  // Nobody hears a 499: whoever hears this is still there, and we gave up.
  if (error.kind === 'cancelled') return 503;
  return Number.isInteger(error.status) && error.status >= 400 && error.status <= 599 ? error.status : 500;
}

function headersOf(error: Failure): readonly string[] {
  const headers: string[] = [];
  if (error.kind === 'rejected') headers.push('retry-after', String(secondsUntilRetry(error.facts)));
  const allow = error.facts['allow'];
  if (error.code === 'method-not-allowed' && Array.isArray(allow)) headers.push('allow', allow.join(', '));
  return headers;
}

function secondsUntilRetry(facts: Failure['facts']): number {
  const ms = facts['ms'] ?? facts['retryAfter'];
  return typeof ms === 'number' && ms > 0 ? Math.ceil(ms / 1000) : 1;
}
