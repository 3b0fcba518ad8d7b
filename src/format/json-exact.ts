import { failure } from '../errors.ts';

const token = /"|-?\d[\d.eE+-]*/g;

/**
 * A JSON text, known to be one, whose integers that a number would round are in quotes. Refuses numbers that floating point
 * has no room for. (A reviver could do the same, and takes seconds for what fits into a megabyte.)
 */
export function exactNumbers(text: string): string {
  let exact = '';
  let from = 0;
  token.lastIndex = 0;
  for (let found = token.exec(text); found; found = token.exec(text)) {
    const [written] = found;
    if (written === '"') {
      token.lastIndex = endOfText(text, found.index);
      continue;
    }
    const value = Number(written);
    if (/^-?\d+$/.test(written)) {
      if (Number.isSafeInteger(value)) continue;
      exact += `${text.slice(from, found.index)}"${written}"`;
      from = found.index + written.length;
    } else if (!Number.isFinite(value)) {
      // It would be written as `null`.
      const detail = 'a number is out of range: at most about 1.8e308 can be kept';
      throw failure('malformed', { format: 'json', detail });
    }
  }
  return exact + text.slice(from);
}

/** Behind the quotes that close the text that begins at `start`. */
function endOfText(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === 0x5c) slashes += 1;
    if (slashes % 2 === 0) return at + 1;
  }
  return text.length;
}
