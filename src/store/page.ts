import { type Entry, limits, type Page } from './store.ts';

/** Takes as many `entries` (in order) as a page may hold; looks at one more to know whether another page follows. */
export function pageOf(entries: Iterable<Entry>, limit: number): Page {
  const taken: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    bytes += entry.value.byteLength;
    const full = taken.length === limit || (taken.length > 0 && bytes > limits.pageBytes);
    if (full) return { entries: taken, next: taken.at(-1)?.key };
    taken.push(entry);
  }
  return { entries: taken, next: undefined };
}
