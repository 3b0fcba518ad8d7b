/**
 * The edit distance of two words, with neighbouring letters swapped counted as one edit: the restricted
 * Damerau-Levenshtein distance.
 */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, (beforePrevious[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

const plain = (word: string): string => word.toLowerCase().replaceAll(/[-_\s]/g, '');

/**
 * The candidate that `word` was probably meant to be. Case, hyphens and underscores do not count (`max_body`,
 * `MaxBody` and `maxBody` are the same word); beyond that one edit in a short word, a third of a long one.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(word);
  if (wanted === '' || wanted.length > 100) return undefined;
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const name = plain(candidate);
    const limit = Math.max(1, Math.floor(Math.max(wanted.length, name.length) / 3));
    if (Math.abs(name.length - wanted.length) > limit) continue;
    const distance = editDistance(wanted, name);
    // A word of two or three letters that shares nothing but one of them is another word.
    if (distance > limit || distance >= Math.min(wanted.length, name.length)) continue;
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
