import type { Failure, WordedError } from '#sdk';

const problemType = 'application/problem+json';

/** An error as an answer: problem details (RFC 9457), never with a stack, never as a success. */
export function problemOf(error: Failure, id: string | undefined, traceId?: string): WordedError {
  const status = statusOf(error);
  const title = error.code.replaceAll('-', ' ');
  const findings = error.facts['findings'];
  const text = JSON.stringify({
    type: `urn:dowel:error:${error.code}`,
    title: title.charAt(0).toUpperCase() + title.slice(1),
    status,
    detail: error.shown,
    code: error.code,
    id,
    traceId,
    outcome: error.outcome,
    findings: Array.isArray(findings) ? findings : undefined,
  });
  return { status, headers: ['content-type', problemType, ...headersOf(error)], text };
}

function statusOf(error: Failure): number {
  // Nobody hears a 499: whoever hears this is still there, and we gave up.
  if (error.kind === 'cancelled') return 503;
  return Number.isInteger(error.status) && error.status >= 400 && error.status <= 599 ? error.status : 500;
}

function headersOf({ code, kind, facts }: Failure): readonly string[] {
  const headers: string[] = [];
  const retryAfter = facts['retryAfter'];
  if (kind === 'rejected' || typeof retryAfter === 'number') {
    headers.push('retry-after', secondsUntilRetry(retryAfter ?? facts['ms']));
  }
  const allow = facts['allow'];
  if (code === 'method-not-allowed' && Array.isArray(allow)) headers.push('allow', allow.join(', '));
  return headers;
}

const secondsUntilRetry = (ms: unknown): string =>
  typeof ms === 'number' && ms > 0 ? String(Math.ceil(ms / 1000)) : '1';
