import { holes } from '../expression/holes.ts';

/** A piece of a text that may name values of `config`; `start` and `end` are where it was written. */
export type Piece = { readonly start: number; readonly end: number } & (
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'name'; readonly name: string }
  /** `${{ … }}`, whose end only a template knows. */
  | { readonly kind: 'hole' }
  /** `${…}` around something that is no name, or without its end. */
  | { readonly kind: 'broken' }
);

const token = /\$?\$\{\{|\$\$\{|\$\{([^{}\n]*)\}?/g;

/** Cuts a literal text at each `${NAME}`. `$${` is a literal `${`. */
export function literalPieces(text: string): readonly Piece[] {
  return cut(text, (start, found, name) => {
    const end = start + found.length;
    if (found === '$${{') return { kind: 'text', text: '${{', start, end };
    if (found === '${{') return { kind: 'hole', start, end };
    return named(start, found, name);
  });
}

/** Cuts a template at each `${NAME}` outside of its holes; holes, and `$${{`, stay as they are written. */
export function templatePieces(text: string): readonly Piece[] {
  const found = holes(text);
  const pieces: Piece[] = [];
  let from = 0;
  const outside = (to: number): void => {
    const part = cut(text.slice(from, to), (start, written, name) =>
      written.endsWith('{{')
        ? { kind: 'text', text: written, start, end: start + written.length }
        : named(start, written, name),
    );
    pieces.push(...part.map((piece) => ({ ...piece, start: piece.start + from, end: piece.end + from })));
  };
  for (const hole of found) {
    outside(hole.start);
    pieces.push({ kind: 'hole', start: hole.start, end: hole.end });
    from = hole.end;
  }
  outside(text.length);
  return pieces;
}

/** Each `${NAME}` in JSONata, where it is a mistake. */
export function namesIn(
  expression: string,
): readonly { readonly name: string; readonly start: number; readonly end: number }[] {
  return [...expression.matchAll(/\$\{([A-Za-z_]\w*)\}/g)].map((match) => ({
    name: match[1] ?? '',
    start: match.index,
    end: match.index + match[0].length,
  }));
}

function named(start: number, found: string, name: string | undefined): Piece {
  const end = start + found.length;
  if (found === '$${') return { kind: 'text', text: '${', start, end };
  if (name === undefined || !found.endsWith('}') || !/^[A-Za-z_]\w*$/.test(name)) return { kind: 'broken', start, end };
  return { kind: 'name', name, start, end };
}

function cut(text: string, piece: (start: number, found: string, name: string | undefined) => Piece): readonly Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  const plain = (to: number): void => {
    if (to > from) pieces.push({ kind: 'text', text: text.slice(from, to), start: from, end: to });
  };
  for (const match of text.matchAll(token)) {
    plain(match.index);
    pieces.push(piece(match.index, match[0], match[1]));
    from = match.index + match[0].length;
  }
  plain(text.length);
  return pieces;
}
