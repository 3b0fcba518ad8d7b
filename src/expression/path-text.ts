import { failure } from '../errors.ts';
import { Segments } from './segments.ts';

// RFC 3986 §2.3: unreserved characters stay as they are; encodeURIComponent leaves five more.
const encode = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** One value of a hole in a path, encoded; the slashes of `$segments(…)` stay. */
export function encodeHole(value: unknown, text: (value: unknown) => string): string {
  if (value instanceof Segments) return value.text.split('/').map(encode).join('/');
  return encode(text(value));
}

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};

// Far sides and proxies decode more than once; so do we, until nothing changes.
function isDots(segment: string): boolean {
  let text = segment;
  for (let round = 0; round < 4; round += 1) {
    if (text.split(/[/\\]/).some((part) => part === '.' || part === '..')) return true;
    const next = decoded(text);
    if (next === text) return false;
    text = next;
  }
  return true;
}

/** Refuses a path that a hole turned into another one: dot segments (RFC 3986 §5.2.4), or an empty segment. */
export function assertPath(path: string, touched: ReadonlySet<number>): void {
  const query = path.search(/[?#]/);
  const segments = (query < 0 ? path : path.slice(0, query)).split('/');
  for (const index of touched) {
    const segment = segments[index];
    if (segment === undefined || (index === 0 && segment === '')) continue; // the slash that a path begins with
    if (segment === '')
      throw failure('bad-request', { detail: 'a hole left a segment of the path empty', sent: false });
    if (isDots(segment))
      throw failure('bad-request', { detail: 'a hole made a segment of the path `.` or `..`', sent: false });
  }
}
