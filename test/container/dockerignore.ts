/** What `.dockerignore` keeps out of the build: the last line that matches decides; `!` takes back in. */
export function ignoring(text: string): (path: string) => boolean {
  const rules = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ ignores: !line.startsWith('!'), matches: matching(line.replace(/^!?\/?|\/$/g, '')) }));
  return (path) => rules.findLast((rule) => rule.matches.test(path))?.ignores ?? false;
}

/** The rule for a folder is one for all that is in it. Unlike in shells, `*` takes a leading dot too. */
function matching(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/?|\*|\?/g, (wildcard) => (wildcard === '?' ? '[^/]' : wildcard === '*' ? '[^/]*' : '(?:.*/)?'));
  return new RegExp(`^${source}(?:/|$)`);
}
