/** What is wrong with a subject to subscribe to: `*` stands for one token, `>` at the end for any number. */
export function filterProblem(subject: string): string | undefined {
  const tokens = subject.split('.');
  const wild = tokens.find((token) => /[*>]/.test(token) && token.length > 1);
  if (wild !== undefined) return `has a wildcard within \`${wild}\`: \`*\` and \`>\` stand for whole tokens`;
  if (tokens.slice(0, -1).includes('>')) return 'has `>` in the middle: it stands for all the rest, at the end';
  return tokenProblem(tokens);
}

/** What is wrong with a subject to publish to. */
export function subjectProblem(subject: string): string | undefined {
  const tokens = subject.split('.');
  if (tokens.some((token) => token === '*' || token === '>')) return 'has a wildcard: a message has one subject';
  return tokenProblem(tokens);
}

function tokenProblem(tokens: readonly string[]): string | undefined {
  if (tokens.includes('')) return 'has an empty token: dots stand between tokens only';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return tokens.some((token) => /[\s\x00-\x1f\x7f]/.test(token)) ? 'holds a blank or a control character' : undefined;
}
