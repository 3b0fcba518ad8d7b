import { strangeBlank } from './strange-blank.ts';
import { yamlHabit } from './yaml-habits.ts';

/** The parser's words for people who do not know the grammar of YAML, and where they should look. */
export interface SyntaxProblem {
  readonly code: string;
  readonly message: string;
  readonly offset: number;
  readonly end: number;
  readonly suggestion?: string;
}

interface Rule {
  readonly reason: RegExp;
  readonly say: (match: RegExpExecArray) => string;
}

const rules: readonly Rule[] = [
  {
    reason: /unexpected end of the (?:stream|document) within a (single|double) quoted scalar/,
    say: ([, kind]) => `The quotes that begin with ${kind === 'single' ? "`'`" : '`"`'} are never closed`,
  },
  {
    reason: /unexpected end of the stream within a flow collection/,
    say: () => 'A `{` or `[` is never closed',
  },
  {
    reason: /missed comma between flow collection entries/,
    say: () => 'A comma is missing inside `{ }` or `[ ]`, or text with special characters in it needs quotes',
  },
  {
    reason: /expected the node content, but found/,
    say: () => 'A value is missing before this comma',
  },
  {
    reason: /bad indentation of a mapping entry|deficient indentation/,
    say: () => 'This line is not indented as the lines around it: keys of one map begin in the same column',
  },
  {
    reason: /bad indentation of a sequence entry/,
    say: () => 'This line is not indented as the lines around it: the `- ` of one list begin in the same column',
  },
  {
    reason:
      /end of the stream or a document separator is expected|expected ':' after a mapping key|multiline key may not be/,
    say: () => 'This is neither `key: value` nor `- item`: is a colon missing, its space, or the indentation?',
  },
  {
    reason: /a whitespace character is expected after the key-value separator/,
    say: () => 'A space is missing after the colon',
  },
  {
    reason: /unknown escape sequence|expected hexadecimal character/,
    say: () => 'Inside double quotes `\\` begins an escape: write `\\\\`, or use single quotes',
  },
  {
    reason: /nesting exceeded maxDepth \((\d+)\)/,
    say: ([, depth]) => `The file is nested deeper than ${depth} levels`,
  },
  {
    reason: /a line break is expected/,
    say: () =>
      'Text that begins with `|` or `>` needs quotes: they begin a block, whose text stands in the lines below',
  },
  { reason: /null byte|non-printable/, say: () => 'The file has characters that no text has: is it binary?' },
  { reason: /undeclared tag handle|tag (?:name|suffix)/, say: () => 'Text that begins with `!` needs quotes' },
  {
    reason: /alias node|anchor node/,
    say: () => 'Text that begins with `&` or `*` needs quotes',
  },
];

/** Explains a parser's error at `offset`. */
export function explain(reason: string, offset: number, source: string): SyntaxProblem {
  const blank = blankNear(source, offset);
  if (blank !== undefined) return blank;
  const tab = tabNear(source, offset);
  if (tab !== undefined) {
    const message = 'A tab stands here; YAML takes spaces only';
    return { code: 'yaml-tab', message, offset: tab, end: tab + 1 };
  }
  const certain =
    reservedAt(source, offset) ??
    gluedDash(source, offset) ??
    unknownEscape(reason, source, offset) ??
    (reason.includes('missed comma') ? undefined : yamlHabit(source, offset)) ??
    textBehindQuotes(source, offset) ??
    inFlow(reason, source, offset) ??
    missingColon(source, offset);
  if (certain !== undefined) return certain;
  const open = /quoted scalar|deficient indentation|within a flow collection/.test(reason)
    ? (unclosedQuote(offset, source) ?? unclosedBracket(offset, source))
    : undefined;
  if (open) return open;
  const line = startOfLine(source, Math.min(offset, source.length));
  const colon = colonInText(source, offset);
  if (colon !== undefined) return colon;
  const at = /expected ':'|multiline key|document separator/.test(reason)
    ? withoutColon(source, line)
    : Math.min(offset, source.trimEnd().length);
  const glued = gluedColon(source, at);
  if (glued !== undefined) return glued;
  return syntax(sentence(reason), at, Math.max(at + 1, endOfLine(source, at)));
}

/** Begins at the line where the parser gave up and looks upward for the one that is no `key: value`. */
function withoutColon(source: string, line: number): number {
  for (let start = line; ; start = startOfLine(source, start - 1)) {
    const text = source.slice(start, endOfLine(source, start));
    if (start === 0 || (text.trim() !== '' && !/:(\s|$)/.test(text)))
      return start + indentationAt(source, start).length;
  }
}

const syntax = (message: string, offset: number, end: number): SyntaxProblem => ({
  code: 'yaml-syntax',
  message,
  offset,
  end,
});

function sentence(reason: string): string {
  for (const rule of rules) {
    const match = rule.reason.exec(reason);
    if (match) return rule.say(match);
  }
  return `This is not YAML: ${reason}`;
}

const indentationAt = (source: string, line: number): string => /^[ \t]*/.exec(source.slice(line))?.[0] ?? '';

const startOfLine = (source: string, offset: number): number =>
  Math.max(source.lastIndexOf('\n', offset - 1), source.lastIndexOf('\r', offset - 1)) + 1;

function endOfLine(source: string, offset: number): number {
  const length = source.slice(offset).search(/[\r\n]/);
  return length < 0 ? source.length : offset + length;
}

/** The tab in front of the place, or in the indentation of its line or of the one before, which the parser may be in. */
function tabNear(source: string, offset: number): number | undefined {
  if (/\t *$/.test(source.slice(0, offset + 1)) && /\S/.test(source[offset] ?? source[offset + 1] ?? '')) {
    return source.lastIndexOf('\t', offset);
  }
  const start = startOfLine(source, Math.min(offset, source.length));
  for (const line of [start, startOfLine(source, Math.max(0, start - 1))]) {
    const indentation = /^[ \t]*/.exec(source.slice(line))?.[0] ?? '';
    const tab = indentation.indexOf('\t');
    // Of a line that holds nothing else, the tab is no mistake.
    if (tab >= 0 && endOfLine(source, line) > line + indentation.length) return line + tab;
  }
  return undefined;
}

/** The parser notices missing quotes only much later; they belong where the text begins. */
function unclosedQuote(offset: number, source: string): SyntaxProblem | undefined {
  for (const match of source.slice(0, offset).matchAll(/(?:^|[\s[{,:])(["'])/g)) {
    const at = match.index + match[0].length - 1;
    const quote = match[1] ?? '"';
    const line = source.slice(at, endOfLine(source, at));
    const inside = quote === '"' ? line.replaceAll(/\\./g, '') : line.replaceAll("''", '');
    // Quotes in pairs on one line are closed; the first line with an odd one has the culprit.
    if (inside.split(quote).length % 2 === 0 && !isInComment(source, at)) {
      const shown = quote === '"' ? '`"`' : "`'`";
      return syntax(`The quotes that begin here with ${shown} are never closed`, at, at + 1);
    }
  }
  return undefined;
}

const isInComment = (source: string, at: number): boolean =>
  /(?:^|\s)#/.test(source.slice(startOfLine(source, at), at));

function unclosedBracket(offset: number, source: string): SyntaxProblem | undefined {
  const open: number[] = [];
  for (let at = 0; at < Math.min(offset, source.length); at++) {
    const character = source.charAt(at);
    const before = source.charAt(at - 1);
    if ((character === '{' || character === '[') && /^[\s[{,]?$/.test(before)) open.push(at);
    if (character === '}' || character === ']') open.pop();
  }
  const at = open.at(-1);
  return at === undefined ? undefined : syntax(`The \`${source[at]}\` is never closed`, at, at + 1);
}

/** Plain text may not begin with these characters (YAML 1.2 §5.3). */
function reservedAt(source: string, offset: number): SyntaxProblem | undefined {
  const character = source[offset];
  if (character === undefined || !'@`%'.includes(character)) return undefined;
  return syntax(`Text that begins with \`${character}\` needs quotes`, offset, offset + 1);
}

/** Where the parser stumbles over text inside of braces that needs quotes, or over the wrong bracket. */
function inFlow(reason: string, source: string, offset: number): SyntaxProblem | undefined {
  if (!reason.includes('missed comma')) return undefined;
  const character = source[offset];
  if (character === '}' || character === ']') return unclosedBracket(offset, source);
  const braces = source.startsWith('${', offset - 1);
  if (!braces && character !== ':') return undefined;
  const line = startOfLine(source, offset);
  const start = line + (/^.*(?:[[{,]|:\s)\s*/.exec(source.slice(line, braces ? offset - 1 : offset))?.[0].length ?? 0);
  const text = /^(?:\$\{\{.*?\}\}|\$\{\w*\}|[^,\]}\r\n])+/.exec(source.slice(start))?.[0].trimEnd() ?? '${';
  return {
    ...syntax(`\`${text}\` needs quotes here, inside of \`{ }\` or \`[ ]\``, start, start + text.length),
    suggestion: text.includes('"') ? `'${text.replaceAll("'", "''")}'` : `"${text}"`,
  };
}

function unknownEscape(reason: string, source: string, offset: number): SyntaxProblem | undefined {
  if (!reason.includes('unknown escape')) return undefined;
  const start = source.lastIndexOf('\\', offset);
  const written = source.slice(start, start + 2);
  const message = `Inside double quotes \`${written}\` is no escape: write \`\\${written}\`, or use single quotes`;
  return { ...syntax(message, start, start + 2), suggestion: `\\${written}` };
}

/** `'it's'` */
function textBehindQuotes(source: string, offset: number): SyntaxProblem | undefined {
  const line = startOfLine(source, Math.min(offset, source.length));
  const before = source.slice(line, offset).trimEnd();
  const quote = before.at(-1);
  if ((quote !== "'" && quote !== '"') || !/\w/.test(source[offset] ?? '')) return undefined;
  const inside =
    quote === "'" ? "single quotes an apostrophe is written `''`" : 'double quotes a quote is written `\\"`';
  const at = line + before.length - 1;
  return syntax(`The quotes end here, and text follows: inside ${inside}`, at, at + 1);
}

/** `-respond: …` */
function gluedDash(source: string, offset: number): SyntaxProblem | undefined {
  const line = startOfLine(source, Math.min(offset, source.length));
  const [, indent = '', word] =
    /^( *)-([A-Za-z][\w-]*:?)(?:\s|$)/.exec(source.slice(line, endOfLine(source, line))) ?? [];
  if (word === undefined) return undefined;
  const start = line + indent.length;
  return {
    ...syntax('A space is missing after the `-`', start, start + 1 + word.length),
    suggestion: `- ${word}`,
  };
}

/** `name:t` */
function gluedColon(source: string, at: number): SyntaxProblem | undefined {
  const [text, key, value] = /^([\w-]+):(\S.*)/.exec(source.slice(at, endOfLine(source, at))) ?? [];
  if (text === undefined || value?.startsWith('//')) return undefined;
  const start = at;
  return {
    ...syntax('A space is missing after the colon', start, start + text.length),
    suggestion: `${key}: ${value}`,
  };
}

/** A blank that is none to YAML, between the words of the line or of the one before. */
function blankNear(source: string, offset: number): SyntaxProblem | undefined {
  const start = startOfLine(source, Math.min(offset, source.length));
  for (const line of [start, startOfLine(source, Math.max(0, start - 1))]) {
    const indentation = /^[^\w"'#]*/.exec(source.slice(line, endOfLine(source, line)))?.[0] ?? '';
    const found = strangeBlank(indentation) ?? strangeBlank(source.slice(line, endOfLine(source, line)));
    if (!found) continue;
    const at = line + found.at;
    return syntax(`${found.what} stands here, which only looks like a space`, at, at + 1);
  }
  return undefined;
}

/**
 * The file with spaces for the tabs of `key:→{ … }`, at which the parser stumbled, though YAML allows them: it counts
 * columns wrongly behind a tab. Everything stays where it was.
 */
export function withoutTabBehindKey(reason: string, offset: number, source: string): string | undefined {
  if (!reason.includes('deficient')) return undefined;
  const line = startOfLine(source, offset);
  const [key, blanks] = /^ *(?:- +)*[^\s#'"][^#'"]*?:([ \t]*\t[ \t]*)/.exec(source.slice(line, offset)) ?? [];
  if (key === undefined || blanks === undefined) return undefined;
  const end = line + key.length;
  return source.slice(0, end - blanks.length) + ' '.repeat(blanks.length) + source.slice(end);
}

/** A line of one word, and below it what belongs to it. */
function missingColon(source: string, offset: number): SyntaxProblem | undefined {
  const line = startOfLine(source, Math.min(offset, source.length));
  if (line === 0) return undefined;
  const above = startOfLine(source, line - 1);
  const [all, indent = '', dashes = '', word] =
    /^( *)((?:- +)*)([\w-]+) *(?:#.*)?$/.exec(source.slice(above, endOfLine(source, above))) ?? [];
  if (all === undefined || word === undefined) return undefined;
  const column = indentationAt(source, line).length;
  if (column <= indent.length || !/^ *(- +)*[\w-]+:(\s|$)/.test(source.slice(line, endOfLine(source, line))))
    return undefined;
  const start = above + indent.length + dashes.length;
  return { ...syntax(`A colon is missing behind \`${word}\``, start, start + word.length), suggestion: `${word}:` };
}

/** `key: some text: and more` */
function colonInText(source: string, offset: number): SyntaxProblem | undefined {
  const line = startOfLine(source, Math.min(offset, source.length));
  const text = source.slice(line, endOfLine(source, offset));
  const [all, key, value] = /^(\s*(?:- +)*[\w-]+:\s+)([^\s"'[{|>&*!#][^#]*?:(?:\s.*)?)$/.exec(text) ?? [];
  if (all === undefined || key === undefined || value === undefined) return undefined;
  const start = line + key.length;
  return syntax('Text that holds `: ` needs quotes', start, start + value.trimEnd().length);
}
