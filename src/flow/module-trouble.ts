import { fileURLToPath } from 'node:url';
import { detailOf } from '../errors.ts';

/** What is wrong with a module that could not be loaded, and in which line. */
export function moduleTrouble(thrown: unknown): string {
  const detail = detailOf(thrown);
  const place = placeOf(thrown);
  const where = place === undefined ? '' : ` (${place})`;
  if (/\.m?ts' does not provide an export named/.test(detail)) {
    return `${detail}${where}; if that is a type: \`import type\``;
  }
  if ((thrown as { code?: unknown } | undefined)?.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return `${detail}${where}; types are taken out and nothing is compiled: no enum, namespace or parameter property`;
  }
  return `${detail}${where}`;
}

/** Node writes the place of a syntax error before the message, and that of anything else behind it. */
function placeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || typeof thrown.stack !== 'string') return undefined;
  const [first = ''] = thrown.stack.split('\n', 1);
  const syntax = /^((?:file:\/\/|\/|[A-Za-z]:\\).*):(\d+)$/.exec(first);
  const [, path, line] = syntax ?? /\bat (?:[^\n]*[ (])?(file:[^\n]*?):(\d+):\d+/.exec(thrown.stack) ?? [];
  return path === undefined ? undefined : `${plainPath(path)}:${line}`;
}

function plainPath(path: string): string {
  try {
    return path.startsWith('file:') ? fileURLToPath(path) : path;
  } catch {
    return path;
  }
}
