/** What pages for users show: fenced blocks, and requests written for curl. */

export interface Fence {
  readonly language: string;
  readonly text: string;
}

export const fences = (markdown: string): readonly Fence[] =>
  [...markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({ language, text }));

export interface Request {
  readonly url: string;
  readonly init: RequestInit;
}

/** A curl line as a request: what these pages use of curl, and nothing else. */
export function requestOf(line: string): Request {
  const words = [...line.replaceAll('\\\n', ' ').matchAll(/(\$?)'([^']*)'|(\S+)/g)].map(([, ansi, quoted, bare]) =>
    ansi === '$' ? quoted?.replaceAll('\\n', '\n') : (quoted ?? bare),
  );
  const headers: [string, string][] = [];
  let url: string | undefined;
  let body: string | undefined;
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === 'curl' || word === '-i') continue;
    if (word === '-d') body = words.shift();
    else if (word === '-H') {
      const [name = '', ...value] = (words.shift() ?? '').split(':');
      headers.push([name, value.join(':').trim()]);
    } else if (/^https?:/.test(word)) url = word;
    else throw new Error(`the tests do not know this part of curl: ${word}`);
  }
  if (url === undefined) throw new Error(`no URL: ${line}`);
  return { url, init: body === undefined ? { headers } : { method: 'POST', headers, body } };
}
