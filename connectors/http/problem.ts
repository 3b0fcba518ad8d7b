import type { Failure, WordedError } from '#sdk';

const problemType = 'application/problem+json';

/** It is for nobody but this caller, and nothing but what it says. */
const guards = ['x-content-type-options', 'nosniff', 'cache-control', 'no-store'];

/** An error as an answer: problem details (RFC 9457), never with a stack, never as a success. */
export function problemOf(
  error: Failure,
  {
    id,
    traceId,
    requestId,
  }: { readonly id?: string; readonly traceId?: string; readonly requestId?: string | undefined },
): WordedError {
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
    requestId,
    traceId,
    outcome: error.outcome,
    findings: Array.isArray(findings) ? findings : undefined,
  });
  return { status, headers: ['content-type', problemType, ...guards, ...headersOf(error)], text };
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
  const accepted = facts['accepted'];
  if (code === 'unsupported-media-type' && Array.isArray(accepted)) headers.push('accept', accepted.join(', '));
  const known = facts['known'];
  if (code === 'unsupported-encoding' && Array.isArray(known)) headers.push('accept-encoding', known.join(', '));
  return headers;
}

const withFields: ReadonlySet<string> = new Set(['unauthenticated', 'insufficient-scope', 'rate-limited']);

/** Fields that an error brings to its answer, in whatever words that is given. */
export function fieldsOf({ code, facts }: Failure): readonly string[] {
  if (!withFields.has(code)) return [];
  const { challenges, fields } = facts;
  const asked = Array.isArray(challenges) ? challenges.flatMap((one) => ['www-authenticate', String(one)]) : [];
  return Array.isArray(fields) ? [...fields.map(String), ...asked] : asked;
}

/** What the answer says already stays. */
export function addMissing(raw: string[], fields: readonly string[]): void {
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? '';
    const given = raw.some((one, index) => index % 2 === 0 && one.toLowerCase() === name);
    if (!given) raw.push(name, fields[at + 1] ?? '');
  }
}

const secondsUntilRetry = (ms: unknown): string =>
  typeof ms === 'number' && ms > 0 ? String(Math.ceil(ms / 1000)) : '1';
