import type { SyntaxProblem } from './yaml-message.ts';

/** What people write who know the rules of YAML by and large: text that YAML takes for something of its own. */
export function yamlHabit(source: string, offset: number): SyntaxProblem | undefined {
  const at = Math.min(offset, source.length);
  return (
    tabBehindDash(source, at) ??
    aliasInText(source, at) ??
    textBehindQuotedText(source, at) ??
    blockTooFarLeft(source, at) ??
    commentInBraces(source, at) ??
    closesNothing(source, at)
  );
}

const problem = (message: string, offset: number, end: number, suggestion?: string): SyntaxProblem => ({
  code: 'yaml-syntax',
  message,
  offset,
  end,
  ...(suggestion === undefined ? {} : { suggestion }),
});

interface Line {
  readonly start: number;
  readonly text: string;
}

function lineAt(source: string, at: number): Line {
  const start = Math.max(source.lastIndexOf('\n', at - 1), source.lastIndexOf('\r', at - 1)) + 1;
  const length = source.slice(start).search(/[\r\n]/);
  return { start, text: length < 0 ? source.slice(start) : source.slice(start, start + length) };
}

/** The line and, where the parser stumbled at its beginning, those before it. */
function linesUpFrom(source: string, at: number): readonly Line[] {
  const lines: Line[] = [];
  for (let line = lineAt(source, at); lines.length < 3; line = lineAt(source, line.start - 1)) {
    if (line.text.trim() !== '') lines.push(line);
    if (line.start === 0) break;
  }
  return lines;
}

function tabBehindDash(source: string, at: number): SyntaxProblem | undefined {
  const { start, text } = lineAt(source, at);
  const [before] = /^ *(?:- +)*-(?=\t)/.exec(text) ?? [];
  if (before === undefined) return undefined;
  const tab = start + before.length;
  return { ...problem('A tab stands here; YAML takes spaces only', tab, tab + 1), code: 'yaml-tab' };
}

// `cron: */5 * * * *` without the quotes
function aliasInText(source: string, at: number): SyntaxProblem | undefined {
  const { start, text } = lineAt(source, at);
  const [all, before = '', value = ''] = /^( *(?:- +)*[\w-]+: +)([*&][^\s,\]}]* .*\S)\s*$/.exec(text) ?? [];
  if (all === undefined || at < start + before.length) return undefined;
  const from = start + before.length;
  const message = `Text that begins with \`${value.charAt(0)}\` needs quotes`;
  return problem(message, from, from + value.length, `"${value}"`);
}

/** `when: 'a' = b` */
function textBehindQuotedText(source: string, at: number): SyntaxProblem | undefined {
  const { start, text } = lineAt(source, at);
  const [all, before = '', value = '', quote = ''] =
    /^( *(?:- +)*[\w-]+: +)((["'])(?:\\.|(?!\3).)*\3 *[^\s\w#,:}\]].*\S)\s*$/.exec(text) ?? [];
  if (all === undefined || at <= start + before.length) return undefined;
  const from = start + before.length;
  const other = quote === '"' ? "'" : '"';
  const whole = value.includes(other) ? undefined : `${other}${value}${other}`;
  const how =
    whole === undefined ? 'stands in a block that begins with `|`' : `needs quotes around all of it: ${whole}`;
  return problem(`Text that begins with quotes, and goes on behind them, ${how}`, from, from + value.length, whole);
}

/** A block whose text is not indented further than its key. */
function blockTooFarLeft(source: string, at: number): SyntaxProblem | undefined {
  const lines = linesUpFrom(source, at);
  for (const [index, line] of lines.entries()) {
    const above = lines[index + 1];
    const [head] = /^ *(?:- +)*(?=[\w-]+: +[|>][-+\d]*\s*(?:#.*)?$)/.exec(above?.text ?? '') ?? [];
    if (head === undefined) continue;
    const column = line.text.search(/\S/);
    if (column > head.length || /^ *(?:- |[\w-]+:(?:\s|$))/.test(line.text)) return undefined;
    const from = line.start + column;
    const message = 'The text of a block is indented further than its key';
    return problem(message, from, line.start + line.text.trimEnd().length);
  }
  return undefined;
}

/** `{ message: a # b }` */
function commentInBraces(source: string, at: number): SyntaxProblem | undefined {
  for (const { start, text } of linesUpFrom(source, at)) {
    const bare = text.replaceAll(/"(?:\\.|[^"\\])*"|'(?:''|[^'])*'/g, (quoted) => '_'.repeat(quoted.length));
    const comment = / #/.exec(bare);
    if (!comment) continue;
    const open = (part: string): number => (part.match(/[{[]/g)?.length ?? 0) - (part.match(/[}\]]/g)?.length ?? 0);
    const behind = bare.slice(comment.index);
    const before = bare.slice(0, comment.index);
    if (open(before) <= 0 || open(behind) >= 0) continue;
    const from = start + comment.index + 1;
    const message = 'A comment begins with this `#`, and what it hides is missed: text with ` #` in it needs quotes';
    return problem(message, from, start + text.trimEnd().length);
  }
  return undefined;
}

/** One bracket too many, behind what is complete. */
function closesNothing(source: string, at: number): SyntaxProblem | undefined {
  const character = source[at];
  if (character !== '}' && character !== ']') return undefined;
  const { start, text } = lineAt(source, at);
  const bare = text.slice(0, at - start).replaceAll(/"(?:\\.|[^"\\])*"|'(?:''|[^'])*'/g, '');
  const open = (bare.match(/[{[]/g)?.length ?? 0) - (bare.match(/[}\]]/g)?.length ?? 0);
  return open === 0 ? problem(`This \`${character}\` closes nothing`, at, at + 1) : undefined;
}
