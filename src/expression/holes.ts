/** A `${{ … }}` in a text. `start` and `end` enclose it with its braces; `source` begins at `start + 3`. */
export interface Hole {
  readonly start: number;
  readonly end: number;
  readonly source: string;
}

/** What `pieces` finds: literal text with its escapes resolved, and holes; a hole without an end is an error. */
export type Piece = { readonly text: string } | { readonly hole: Hole } | { readonly unterminated: number };

const opening = '${{';
const escaped = '$${{';
/** After these a `/` begins a regular expression; after anything else it divides. */
export const beforeRegex = /(?:^|[([{,;:=<>&|?~+\-*/%^!.]|\b(?:and|or|in))\s*$/;

/** The offset behind a quoted text or name that begins at `at`. */
function afterQuote(text: string, at: number): number {
  const quote = text[at];
  for (let next = at + 1; next < text.length; next += 1) {
    if (text[next] === '\\' && quote !== '`') next += 1;
    else if (text[next] === quote) return next + 1;
  }
  return text.length;
}

/** The offset behind a regular expression: its end is a slash outside of brackets, as JSONata has it. */
function afterRegex(text: string, at: number): number {
  let depth = 0;
  for (let next = at + 1; next < text.length; next += 1) {
    const character = text[next] ?? '';
    if (character === '\\') next += 1;
    else if ('([{'.includes(character)) depth += 1;
    else if (')]}'.includes(character)) depth -= 1;
    else if (character === '/' && depth === 0) return next + 1;
  }
  return text.length;
}

function afterComment(text: string, at: number): number {
  const end = text.indexOf('*/', at + 2);
  return end < 0 ? text.length : end + 2;
}

/** The offset of the `}}` that closes a hole whose JSONata begins at `from`: braces of the JSONata are balanced first. */
function closing(text: string, from: number): number | undefined {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const character = text[at] ?? '';
    if (character === '"' || character === "'" || character === '`') at = afterQuote(text, at);
    else if (text.startsWith('/*', at)) at = afterComment(text, at);
    else if (character === '/' && beforeRegex.test(text.slice(from, at))) at = afterRegex(text, at);
    else if (depth === 0 && text.startsWith('}}', at)) return at;
    else {
      if (character === '{') depth += 1;
      if (character === '}') depth = Math.max(0, depth - 1);
      at += 1;
    }
  }
  return undefined;
}

/** Cuts a text into literal text and holes, from left to right. `$${{` is a literal `${{`. */
export function pieces(text: string): readonly Piece[] {
  const found: Piece[] = [];
  let literal = '';
  let at = 0;
  const flush = (): void => {
    if (literal !== '') found.push({ text: literal });
    literal = '';
  };
  while (at < text.length) {
    const next = text.indexOf('$', at);
    if (next < 0) break;
    literal += text.slice(at, next);
    at = next;
    if (text.startsWith(escaped, at)) {
      literal += opening;
      at += escaped.length;
    } else if (text.startsWith(opening, at)) {
      const end = closing(text, at + opening.length);
      flush();
      if (end === undefined) return [...found, { unterminated: at }];
      found.push({ hole: { start: at, end: end + 2, source: text.slice(at + opening.length, end) } });
      at = end + 2;
    } else {
      literal += '$';
      at += 1;
    }
  }
  literal += text.slice(at);
  flush();
  return found;
}

/** The holes of a text. One without an end is left out; compiling the template reports it. */
export function holes(text: string): readonly Hole[] {
  return pieces(text).flatMap((piece) => ('hole' in piece ? [piece.hole] : []));
}
