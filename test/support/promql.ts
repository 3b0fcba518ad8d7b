/** A look at expressions of Prometheus: enough to say which series they ask for, and by which labels. */

export interface Use {
  readonly metric: string;
  /** Labels that are matched, or by which it is summed up. */
  readonly labels: ReadonlySet<string>;
}

const words = new Set(['or', 'and', 'unless', 'bool', 'offset']);
/** Words that are followed by labels. */
const lists = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);

/** Throws for what it does not understand. */
export function usesIn(expression: string): readonly Use[] {
  const tokens = tokensOf(expression);
  const { uses, next } = read(tokens, 0);
  if (next < tokens.length) throw new Error(`one ) too many in ${expression}`);
  return uses;
}

/** Up to the parenthesis that closes what is open, or to the end. */
function read(tokens: readonly string[], from: number): { readonly uses: readonly Use[]; readonly next: number } {
  const uses: Use[] = [];
  let by: readonly string[] = [];
  for (let at = from; at < tokens.length; ) {
    const token = tokens[at] ?? '';
    const then = tokens[at + 1];
    if (token === ')') return { uses, next: at };
    if (lists.has(token) && then === '(') {
      const { list, next } = listed(tokens, at + 2, ')');
      if (token === 'by') by = list;
      at = next;
    } else if (token === '(') {
      const inner = read(tokens, at + 1);
      if (tokens[inner.next] !== ')')
        throw new Error(`a parenthesis is not closed behind ${tokens.slice(0, at).join(' ')}`);
      for (const use of inner.uses) uses.push({ ...use, labels: new Set([...use.labels, ...by]) });
      by = [];
      at = inner.next + 1;
    } else if (!/^[a-z_:]/i.test(token) || words.has(token) || then === '(' || then === 'by') at++;
    else if (then === '{') {
      const { list, next } = listed(tokens, at + 2, '}');
      uses.push({ metric: token, labels: new Set(list) });
      at = next;
    } else {
      uses.push({ metric: token, labels: new Set() });
      at++;
    }
  }
  return { uses, next: tokens.length };
}

/** The names that stand there, of matchers only those before the sign. */
function listed(
  tokens: readonly string[],
  from: number,
  end: string,
): { readonly list: readonly string[]; readonly next: number } {
  const close = tokens.indexOf(end, from);
  if (close === -1) throw new Error(`${end} is missing behind ${tokens.slice(0, from).join(' ')}`);
  return { list: tokens.slice(from, close).filter((token) => /^[a-z_]\w*$/i.test(token)), next: close + 1 };
}

const token =
  /\s+|"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[a-z_:][\w:]*|\d+(?:\.\d+)?[a-z]*|=~|!~|!=|>=|<=|==|[-+*/%^=<>(){},]/giy;

function tokensOf(expression: string): readonly string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < expression.length) {
    const at = token.lastIndex;
    const found = token.exec(expression)?.[0];
    if (found === undefined) throw new Error(`this cannot be read: ${expression.slice(at)}`);
    if (found.trim() !== '') tokens.push(found);
  }
  return tokens;
}

/** What a process exposes: of each series its labels, in the text format. */
export function exposedIn(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const exposed = new Map<string, Set<string>>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name, labels = ''] = /^([a-z_:][\w:]*)(?:\{(.*)\})? \S+$/i.exec(line) ?? [];
    if (name === undefined) throw new Error(`no line of metrics: ${line}`);
    const known = exposed.get(name) ?? new Set();
    for (const [, label = ''] of labels.matchAll(/([a-z_]\w*)="(?:[^"\\]|\\.)*"/gi)) known.add(label);
    exposed.set(name, known);
  }
  return exposed;
}
