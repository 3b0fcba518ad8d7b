import type { Headers } from '../../core/exchange.ts';
import type { DeadLetter } from '../dead-letter.ts';

/** They belong to one connection, or let whoever has them in: a copy of a message does not have them. */
const left: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-length',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export const isContentHeader = (name: string): boolean => name.startsWith('content-');

/** The headers of a message as they are kept with its dead letter. */
export function keptHeaders(headers: Headers): Headers {
  const kept = Object.entries(headers).filter(([name]) => !left.has(name));
  return Object.assign(Object.create(null), Object.fromEntries(kept));
}

/** What every protocol takes as a header: visible ASCII and blanks. */
const plain = (text: string): string =>
  text
    .slice(0, 500)
    .replaceAll(/[^\x20-\x7e]+/g, '?')
    .trim();

const time = (ms: number): string => new Date(ms).toISOString();

/** What happened, as headers of the dead letter. */
export function letterHeaders(letter: DeadLetter): Headers {
  const facts: Readonly<Record<string, string | undefined>> = {
    'dowel-integration': letter.integration,
    'dowel-version': letter.version,
    'dowel-flow': letter.flow,
    'dowel-message-id': letter.id,
    'dowel-error-place': letter.place,
    'dowel-error-code': letter.code,
    'dowel-error-kind': letter.kind,
    'dowel-error-detail': letter.detail,
    'dowel-attempts': String(letter.attempts),
    'dowel-received-at': time(letter.receivedAt),
    'dowel-failed-at': time(letter.failedAt),
    'dowel-trace-id': letter.traceId,
  };
  const headers = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(facts)) if (value !== undefined) headers[name] = plain(value);
  return headers;
}
