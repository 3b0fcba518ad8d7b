import { passwordsIn } from '../core/url-passwords.ts';
import type { ScalarNode } from './node.ts';
import type { ReadContext } from './read-context.ts';
import { titleOf } from './wording.ts';

/** A secret comes from outside, and what it comes from is declared as one: else expressions see it. */
export function checkSecret(node: ScalarNode, context: ReadContext): void {
  const used = context.configIn(node);
  if (used.some((one) => one.secret) || (used.length === 0 && node.text.includes('${'))) return;
  const name = used[0]?.name;
  warn(
    node,
    context,
    name === undefined
      ? 'is secret, and stands in the file: declare it under `config:` as `NAME: { secret: true }`, and write `${NAME}` here'
      : `is secret: declare \`${name}\` with \`secret: true\``,
  );
}

/** The same for the password in a URL. */
export function checkUrl(node: ScalarNode, context: ReadContext): void {
  const [password] = passwordsIn(node.text);
  if (password === undefined) return;
  const used = context.configIn(node).filter(({ name }) => password.includes(`\${${name}}`));
  if (used.some((one) => one.secret) || (used.length === 0 && password.includes('${'))) return;
  const name = used[0]?.name;
  warn(
    node,
    context,
    name === undefined
      ? 'holds a password, and stands in the file: declare it under `config:` as `NAME: { type: uri, secret: true }`, and write `${NAME}` here'
      : `holds a password: declare \`${name}\` with \`secret: true\``,
  );
}

function warn(node: ScalarNode, context: ReadContext, what: string): void {
  const message = `${titleOf(node.pointer)} ${what}`;
  context.report({ severity: 'warning', code: 'open-secret', pointer: node.pointer, message });
}
