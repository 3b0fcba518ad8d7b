/** A path as a source writes it, in segments. */
export interface ParsedPath {
  readonly segments: readonly Segment[];
  readonly names: readonly string[];
}

interface Segment {
  readonly kind: 'literal' | 'parameter' | 'rest';
  readonly text: string;
}

/** `/orders/{id}` and `/files/{rest+}`. */
export function parsePath(path: string): ParsedPath | { readonly problem: string } {
  if (!path.startsWith('/')) return { problem: 'a path begins with `/`' };
  const names: string[] = [];
  const segments: Segment[] = [];
  const parts = path.slice(1).split('/');
  for (const [index, part] of parts.entries()) {
    const parameter = /^\{([A-Za-z_][\w.-]*)(\+?)\}$/.exec(part);
    if (parameter) {
      const [, name = '', plus] = parameter;
      if (names.includes(name)) return { problem: `the parameter \`${name}\` stands there twice` };
      if (plus && index < parts.length - 1) return { problem: `\`{${name}+}\` may only stand at the end` };
      names.push(name);
      segments.push({ kind: plus ? 'rest' : 'parameter', text: name });
      continue;
    }
    if (part.includes('?')) {
      return { problem: 'a path has no `?`: what stands behind it in a request is `$query`, as in `$query.page`' };
    }
    if (/[{}]/.test(part)) return { problem: `\`${part}\` is neither a literal segment nor one parameter \`{name}\`` };
    if (/[?#\s\\]/.test(part)) return { problem: `\`${part}\` holds a character that is not part of a path` };
    const text = decoded(part);
    if (text === undefined) return { problem: `\`${part}\` is not percent-encoded correctly` };
    if (text === '.' || text === '..') return { problem: '`.` and `..` are not allowed in a path' };
    segments.push({ kind: 'literal', text });
  }
  return { segments, names };
}

/** Percent-decoded text; `undefined` when the encoding is broken, is not UTF-8, or hides a NUL. */
export function decoded(text: string): string | undefined {
  if (!text.includes('%')) return text;
  try {
    const plain = decodeURIComponent(text);
    return plain.includes('\0') ? undefined : plain;
  } catch {
    return undefined;
  }
}
