/** A finding with its place in the file: what people and editors are shown. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** Stable, kebab-case. */
  readonly code: string;
  readonly message: string;
  /** JSON pointer; empty for the whole file. */
  readonly pointer: string;
  /** From 1; columns count UTF-16 units, as editors do. */
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  /** Of the first character behind. */
  readonly endColumn: number;
  /** What to write instead, as the replacement text. */
  readonly suggestion?: string;
}

/** In the order of the file, each once: what an alias repeats has one place. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Map<string, Diagnostic>();
  for (const one of diagnostics) {
    const key = `${one.line}:${one.column}:${one.code}:${one.message}`;
    if (!seen.has(key)) seen.set(key, one);
  }
  return [...seen.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}
