/** Where a text stops being JSON. JSON.parse gives no place for most mistakes, and quotes the body in its message. */

const whitespace = /[ \t\n\r]*/y;
const escapeSequence = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

/** The index after the string that begins at `start`, or of the character that does not belong in it. */
function endOfString(text: string, start: number): { readonly at: number; readonly ended: boolean } {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return { at: at + 1, ended: true };
    if (code < 0x20) return { at, ended: false };
    if (code !== 0x5c) continue;
    escapeSequence.lastIndex = at;
    if (!escapeSequence.test(text)) return { at, ended: false };
    at = escapeSequence.lastIndex - 1;
  }
  return { at: text.length, ended: false };
}

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | 'colon' | 'comma' | 'end';

const words: Readonly<Record<Expected, string>> = {
  value: 'a value',
  'value or ]': 'a value or ]',
  key: 'a key in double quotes',
  'key or }': 'a key in double quotes or }',
  colon: 'a colon',
  comma: 'a comma or the closing bracket',
  end: 'nothing more',
};

function describe(text: string, at: number, what: string): string {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  return `line ${line}, column ${column}: ${what}`;
}

const found = (text: string, at: number): string => {
  const code = text.codePointAt(at);
  if (code === undefined) return 'the end of the text';
  return code > 0x20 && code < 0x7f
    ? String.fromCodePoint(code)
    : `the character U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
};

/** Line, column and cause for a text that JSON.parse refused. Linear, without recursion. */
export function locateMistake(text: string): string {
  const closers: string[] = [];
  let expected: Expected = 'value';
  let at = 0;
  const skip = (token: RegExp): boolean => {
    token.lastIndex = at;
    if (!token.test(text)) return false;
    at = token.lastIndex;
    return true;
  };
  const afterValue = (): Expected => (closers.length === 0 ? 'end' : 'comma');
  for (;;) {
    skip(whitespace);
    const char = text.charAt(at);
    if (
      char === closers.at(-1) &&
      (expected === 'comma' || expected === `${char === '}' ? 'key' : 'value'} or ${char}`)
    ) {
      closers.pop();
      at += 1;
      expected = afterValue();
    } else if (expected === 'comma' && char === ',') {
      at += 1;
      expected = closers.at(-1) === '}' ? 'key' : 'value';
    } else if (expected === 'colon' && char === ':') {
      at += 1;
      expected = 'value';
    } else if (expected.startsWith('value') && (char === '{' || char === '[')) {
      closers.push(char === '{' ? '}' : ']');
      at += 1;
      expected = char === '{' ? 'key or }' : 'value or ]';
    } else if (char === '"' && /^[vk]/.test(expected)) {
      const end = endOfString(text, at);
      at = end.at;
      if (!end.ended) {
        const wrong =
          text.charAt(at) === '\\' ? 'a wrong escape in a string' : `a string with ${found(text, at)} in it`;
        return describe(text, at, at < text.length ? wrong : 'a string that does not end');
      }
      expected = expected.startsWith('key') ? 'colon' : afterValue();
    } else if (expected.startsWith('value') && skip(scalar)) {
      expected = afterValue();
    } else {
      return describe(text, at, `expected ${words[expected]}, found ${found(text, at)}`);
    }
  }
}
