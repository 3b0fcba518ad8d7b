/** Why a variable is not known, and what is. */
export function missingName(
  name: string,
  source: string,
  at: number,
  given: ReadonlySet<string>,
  known: readonly string[],
): { readonly what: string; readonly hint: string } {
  const called = source[at + name.length + 1] === '(' || /^\$?\w+\s*\(/.test(source.slice(at));
  const only = Object.hasOwn(onlyThere, name) ? onlyThere[name] : undefined;
  if (called) return { what: `There is no function \`$${name}\``, hint: '' };
  if (only !== undefined) return { what: `\`$${name}\` ${only}`, hint: '' };
  if (given.has(name)) {
    return {
      what: `\`$${name}\` is not known here: what names it comes later, or stands in a scope of its own`,
      hint: '',
    };
  }
  const names = known.filter((one) => one !== '').map((one) => `\`$${one}\``);
  const hint = `; known here are ${names.join(', ')}`;
  return { what: `Nothing here is called \`$${name}\``, hint };
}

const onlyThere: Readonly<Record<string, string>> = {
  error: 'is known only inside `catch`, `onError`, `fallback` and `compensate`',
  failed: 'is known only behind `scatterGather` and `recipientList`',
  params: 'exists only in a flow that starts `from: { http: … }`',
  query: 'exists only in a flow that starts `from: { http: … }`',
  identity: 'exists only where the source authenticates its callers',
};
