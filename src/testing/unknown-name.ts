import type { Finding } from '../core/written.ts';
import { nearest } from '../schema/nearest.ts';
import { listed } from '../schema/wording.ts';

/** A name that the integration does not have: with the nearest it has, or all of them. */
export function unknownName(
  what: 'endpoint' | 'flow' | 'config value' | 'parameter' | 'option',
  name: string,
  known: readonly string[],
  pointer: string,
  at: 'key' | 'value',
): Finding {
  const suggestion = nearest(name, known);
  const hint =
    suggestion !== undefined
      ? `; did you mean \`${suggestion}\`?`
      : known.length > 0
        ? `; it has ${listed(known, 'and')}`
        : ': it has none';
  const whose = what === 'parameter' ? 'The path of this flow' : what === 'option' ? 'A call' : 'The integration';
  return {
    severity: 'error',
    code: `unknown-${what.replace(' value', '')}`,
    message: `${whose} has no ${what} \`${name}\`${hint}`,
    pointer,
    at,
    name,
    suggestion,
  };
}
