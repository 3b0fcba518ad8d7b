/** Syntax of other languages, told by where the parser stumbled: what is meant, and how it is written here. */
export interface Foreign {
  readonly message: string;
  readonly start: number;
  readonly length: number;
  readonly suggestion?: string;
}

interface Rule {
  /** What stands before the place where the parser stumbled, at its end, and what follows. */
  readonly before?: RegExp;
  readonly after?: RegExp;
  readonly say: (before: string, after: string) => { readonly message: string; readonly suggestion?: string };
}

const says = (message: string, suggestion?: string): ReturnType<Rule['say']> =>
  suggestion === undefined ? { message } : { message, suggestion };

const rules: readonly Rule[] = [
  { before: /^\s*$/, after: /^=/, say: () => says('An expression is written without a `=` in front of it', '') },
  {
    before: /^\s*$/,
    after: /^\.[\w[]/,
    say: () => says('A path is written without a dot in front of it: this is JSONata, not jq'),
  },
  {
    before: /^\s*$/,
    after: /^@/,
    say: () => says('What is looked at is `$`, and not `@`: this is JSONata, not JSONPath', '$'),
  },
  { after: /^#/, say: () => says('A comment is written `/* … */`') },
  { before: /\[\s*-?\d+$/, after: /^\.\./, say: () => says('A part of a list is written `[[0..2]]`') },
  {
    after: /^\.\.(?=[\w*`])/,
    say: () => says('`..` is of JSONPath: everything below is `**`, as in `$.**.price`', '.**.'),
  },
  {
    before: /\[$/,
    after: /^\?\s*\(/,
    say: () => says('A filter is written `[price > 3]`: this is JSONata, not JSONPath'),
  },
  {
    before: /\?$/,
    after: /^\./,
    say: () => says('`?.` is not needed: what is not there yields nothing. Write `.`', '.'),
  },
  { before: /\[\s*-?\d*$/, after: /^:/, say: () => says('A part of a list is written `[[0..2]]`') },
  {
    before: /(?:^|[\s(;])(?:const|let|var)\s+$/,
    say: (_, after) => says(`A variable is bound by \`( $${/^\w*/.exec(after)?.[0]} := …; … )\`, in parentheses`),
  },
  { before: /\breturn\s+$/, say: () => says('`return` is not written: the last expression is the result', '') },
  { before: /\bif\s*\([^()]*\)\s*$/, say: () => says('A choice is written `a ? b : c`') },
  { after: /^AND\b/, say: () => says('Write `and` instead of `AND`', 'and') },
  { after: /^OR\b/, say: () => says('Write `or` instead of `OR`', 'or') },
  { after: /^NOT\b/, say: () => says('Write `$not(…)` instead of `NOT`') },
  { after: /^(?:is|IS)\s+(?:not|NOT)\s+null/i, say: () => says('Write `!= null`, or `$exists(…)`', '!= null') },
  { after: /^(?:is|IS)\s+null/i, say: () => says('Write `= null`, or `$not($exists(…))`', '= null') },
  { after: /^(?:is|eq)\s/i, say: () => says('Write `=` instead of `is`', '=') },
  {
    after: /^(?:like|LIKE|matches|=~|~=)/,
    say: () => says('Write `$contains(…, /…/)`: text against a regular expression'),
  },
  {
    before: /\/(?:\\.|[^/\\\n])+\/[im]*$/,
    after: /^[gsuy]+\b/,
    say: () => says('A regular expression takes the flags `i` and `m`; it finds every match as it is'),
  },
  { before: /\+$/, after: /^\+/, say: () => says('Write `x + 1`: nothing is changed in place') },
  { before: /\*$/, after: /^\*/, say: () => says('Write `$power(a, b)`') },
  { after: /^\*\*/, say: () => says('Write `$power(a, b)`') },
];

const token = /^(?:\w+|[^\w\s]{1,2})/;

/** `undefined`: nothing of another language that is known. */
export function foreignSyntax(source: string, offset: number): Foreign | undefined {
  const xpath = pathOfSlashes(source);
  if (xpath) return xpath;
  const before = source.slice(0, offset);
  const after = source.slice(offset);
  for (const rule of rules) {
    const found = rule.after ? rule.after.exec(after)?.[0] : '';
    if (found === undefined || (rule.before && !rule.before.test(before))) continue;
    const length = (found.trimEnd() || token.exec(after)?.[0] || ' ').length;
    return { ...rule.say(before, after), start: offset, length };
  }
  return undefined;
}

/** `/order/item`: nothing sensible begins with a regular expression that has no flags behind it. */
function pathOfSlashes(source: string): Foreign | undefined {
  const [, blanks = '', path, rest = ''] =
    /^(\s*)(\/\/?[A-Za-z_@*][\w@*:-]*(?:\/\/?[\w@*:-]+)*)([^/]*)/.exec(source) ?? [];
  if (path === undefined || /^\/[^/]*\/[im]*$/.test(path + rest)) return undefined;
  const start = blanks.length;
  const names = path.split(/\/+/).filter((one) => one !== '');
  if (path.startsWith('//') && !path.slice(2).includes('/') && /^\s/.test(rest)) return undefined;
  const suggestion = (path.startsWith('//') ? ['**', ...names] : names)
    .map((one) => (one.startsWith('@') ? `\`${one}\`` : one))
    .join('.');
  return {
    message: `A path is written with dots: \`${suggestion}\`. This is JSONata, not XPath`,
    start,
    length: path.length,
    suggestion,
  };
}
