/** Whether no two elements are equal as JSON (`1` and `1.0`, objects in any order of keys). Linear in their size. */
export function isUnique(list: readonly unknown[]): boolean {
  const seen = new Set<string>();
  for (const one of list) {
    const text = canonical(one);
    if (seen.has(text)) return false;
    seen.add(text);
  }
  return true;
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return `${typeof value} ${JSON.stringify(value)}`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(',')}}`;
}
