import type { Diagnostic } from './diagnostic.ts';

export interface SnippetLine {
  readonly text: string;
  readonly caret: boolean;
}

/** Longer lines are cut around the place. */
const width = 100;

/** The line in question with its number, and below it carets and what to write there instead. */
export function snippet(lines: readonly string[], diagnostic: Diagnostic): readonly SnippetLine[] {
  const line = lines[diagnostic.line - 1];
  if (line === undefined) return [];
  const source = diagnostic.code === 'open-secret' ? covered(line, diagnostic) : line;
  const from = diagnostic.column - 1;
  const start = source.length > width ? Math.max(0, Math.min(from - 20, source.length - width)) : 0;
  const cut = source.slice(start, start + width);
  const shown = `${start > 0 ? '…' : ''}${clean(cut)}${start + width < source.length ? '…' : ''}`;
  const number = String(diagnostic.line);
  // What stands in several lines is marked to the end of its first.
  const to = diagnostic.endLine > diagnostic.line ? source.trimEnd().length : diagnostic.endColumn - 1;
  const end = Math.min(Math.max(to, from + 1), start + width);
  const before = `${start > 0 ? ' ' : ''}${source.slice(start, from).replaceAll(/[^\t]/gu, ' ')}`;
  const carets = '^'.repeat(Math.max(1, [...source.slice(from, end)].length));
  const { suggestion } = diagnostic;
  const fits = suggestion !== undefined && suggestion.length <= 60 && !/[\r\n]/.test(suggestion);
  const instead = fits ? ` ${clean(suggestion)}` : '';
  return [
    { text: `${number} | ${shown}`, caret: false },
    { text: `${' '.repeat(number.length)} | ${before}${carets}${instead}`, caret: true },
  ];
}

/** What is told about a secret goes into the logs of builds and containers. */
function covered(line: string, { column, endColumn }: Diagnostic): string {
  const secret = line.slice(column - 1, endColumn - 1);
  if (secret.includes('${')) return line;
  return line.slice(0, column - 1) + '*'.repeat(secret.length) + line.slice(endColumn - 1);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what is printed must not steer the terminal
const clean = (text: string): string => text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\u{fffd}');
