/** Where in the file a character of a scalar's value was written: the ways of YAML 1.2 §7.3 and §8.1 to write text. */
export interface WrittenScalar {
  readonly style: 'plain' | 'single' | 'double' | 'literal' | 'folded';
  /** Of the content, without quotes; of a block, the first line of its text. */
  readonly start: number;
  readonly end: number;
  /** Of a block's text; -1 where it has none. */
  readonly indent: number;
}

/** The offset in `source` of the character number `index` of the scalar's value. */
export function writtenOffset(source: string, scalar: WrittenScalar, index: number): number {
  const map = scalar.style === 'literal' || scalar.style === 'folded' ? blockMap : flowMap;
  const offsets = map(source, scalar);
  return offsets[Math.min(index, offsets.length - 1)] ?? scalar.start;
}

/** One offset for each character of the value, and one for its end. */
function flowMap(source: string, scalar: WrittenScalar): readonly number[] {
  const offsets: number[] = [];
  let at = scalar.start;
  while (at < scalar.end) {
    const rest = source.slice(at, scalar.end);
    const fold = /^[ \t]*(?:\r\n|\r|\n)[ \t\r\n]*/.exec(rest)?.[0];
    if (fold !== undefined) {
      const breaks = fold.match(/\r\n|\r|\n/g)?.length ?? 1;
      // One line break is a space; of more, the first is dropped.
      for (let i = 0; i < Math.max(1, breaks - 1); i++) offsets.push(at);
      at += fold.length;
      continue;
    }
    const escaped =
      scalar.style === 'double' ? doubleEscape(rest) : scalar.style === 'single' ? singleEscape(rest) : undefined;
    for (let i = 0; i < (escaped?.characters ?? 1); i++) offsets.push(at);
    at += escaped?.length ?? 1;
  }
  return [...offsets, scalar.end];
}

interface Escape {
  readonly length: number;
  /** UTF-16 units that it stands for. */
  readonly characters: number;
}

const singleEscape = (rest: string): Escape | undefined =>
  rest.startsWith("''") ? { length: 2, characters: 1 } : undefined;

function doubleEscape(rest: string): Escape | undefined {
  if (!rest.startsWith('\\')) return undefined;
  const continued = /^\\(?:\r\n|\r|\n)[ \t\r\n]*/.exec(rest)?.[0];
  if (continued !== undefined) return { length: continued.length, characters: 0 };
  const hex = /^\\(?:x[\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|U[\dA-Fa-f]{8})/.exec(rest)?.[0];
  if (hex === undefined) return { length: 2, characters: 1 };
  return { length: hex.length, characters: Number.parseInt(hex.slice(2), 16) > 0xffff ? 2 : 1 };
}

/**
 * A folded block joins its lines with one space each, save where lines are empty or indented further; either way every
 * line's text is taken over as it is, so only the breaks need counting.
 */
function blockMap(source: string, scalar: WrittenScalar): readonly number[] {
  const offsets: number[] = [];
  let at = scalar.start;
  /** Where the line before ended, and where the empty ones since then begin. */
  let ended: number | undefined;
  let empty: number[] = [];
  let afterIndented = false;
  for (const [line, , text = ''] of source.slice(scalar.start, scalar.end).matchAll(/(([^\r\n]*)(?:\r\n|\r|\n|$))/g)) {
    if (line === '') break;
    const content = text.slice(Math.max(0, scalar.indent));
    if (scalar.indent < 0 || (content === '' && text.trim() === '')) {
      empty.push(at);
    } else {
      const indented = /^[ \t]/.test(content);
      const folds = scalar.style === 'folded' && ended !== undefined && !indented && !afterIndented;
      // Of several breaks that are folded the first is dropped; a single one is a space.
      offsets.push(...(ended === undefined || (folds && empty.length > 0) ? empty : [ended, ...empty]));
      const start = at + scalar.indent;
      for (let i = 0; i < content.length; i++) offsets.push(start + i);
      afterIndented = scalar.style === 'folded' && indented;
      ended = at + text.length;
      empty = [];
    }
    at += line.length;
  }
  return [...offsets, ...(ended === undefined ? [] : [ended]), ...empty, scalar.end];
}
