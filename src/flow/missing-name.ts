import { nearest } from '../schema/nearest.ts';
import { functionMeant } from './function-words.ts';

export interface MissingName {
  readonly what: string;
  readonly hint: string;
  /** What to write instead, where that is known. */
  readonly suggestion?: string;
}

/** Why a variable is not known, and what is. */
export function missingName(
  name: string,
  source: string,
  at: number,
  given: ReadonlySet<string>,
  known: readonly string[],
): MissingName {
  const called = source[at + name.length + 1] === '(' || /^\$?\w+\s*\(/.test(source.slice(at));
  const only = Object.hasOwn(onlyThere, name) ? onlyThere[name] : undefined;
  if (called) return noFunction(name);
  if (only !== undefined) return { what: `\`$${name}\` ${only}`, hint: '' };
  const elsewhere = Object.hasOwn(foreign, name) ? foreign[name] : undefined;
  if (elsewhere !== undefined && !given.has(name)) return elsewhere;
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

function noFunction(name: string): MissingName {
  const what = `There is no function \`$${name}\``;
  const meant = functionMeant(name);
  if (meant === undefined) return { what, hint: '' };
  if (/^\$\w+$/.test(meant)) return { what, hint: `; did you mean \`${meant}\`?`, suggestion: meant };
  return { what, hint: `: write \`${meant}\`` };
}

const body = (name: string): MissingName => ({
  what: `Nothing here is called \`$${name}\``,
  hint: ': the body is `$`',
  suggestion: '$',
});

const config = (name: string): MissingName => ({
  what: `Nothing here is called \`$${name}\``,
  hint: ': what comes from outside is declared under `config:`, and is `$config.NAME`',
  suggestion: '$config',
});

/** What other systems call what is there. */
const foreign: Readonly<Record<string, MissingName>> = {
  ...Object.fromEntries(
    ['body', 'json', 'request', 'payload', 'message', 'msg', 'input'].map((name) => [name, body(name)]),
  ),
  ...Object.fromEntries(['env', 'environment', 'vars'].map((name) => [name, config(name)])),
};

const onlyThere: Readonly<Record<string, string>> = {
  error: 'is known only inside `catch`, `onError`, `fallback`, `compensate` and `deadLetter`',
  failed: 'is known only behind `scatterGather` and `recipientList`',
  params: 'exists only in a flow that starts `from: { http: … }`',
  query: 'exists only in a flow that starts `from: { http: … }`',
  event: 'exists only in a flow whose source has `cloudEvents: {}`',
  identity: 'exists only where the source asks who is calling: `from: { http: { auth: … } }`',
};

/** What to write instead of a name that nothing under `where` has. */
export function unknownName(
  name: string,
  names: readonly string[],
  where: string,
): { readonly hint: string; readonly suggestion: string | undefined } {
  const suggestion = nearest(name, names);
  if (suggestion) return { suggestion, hint: `did you mean \`${suggestion}\`?` };
  const all = names.map((one) => `\`${one}\``).join(', ');
  const hint = all === '' ? `nothing is declared under \`${where}:\`` : `declared under \`${where}:\` are ${all}`;
  return { suggestion, hint };
}
