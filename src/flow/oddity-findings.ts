import type { Finding } from '../core/written.ts';
import type { Oddity } from '../expression/oddities.ts';
import { functionMeant } from './function-words.ts';

type Found = Omit<Finding, 'pointer'> & { readonly offset: number };

/** Fields of these names are most probably meant as values of other languages. */
const values: Readonly<Record<string, string>> = {
  yes: 'true',
  on: 'true',
  True: 'true',
  TRUE: 'true',
  no: 'false',
  off: 'false',
  False: 'false',
  FALSE: 'false',
  None: 'null',
  nil: 'null',
  NULL: 'null',
  Null: 'null',
};

/** What an expression has in it that never works, or hardly does what it seems to. */
export function oddityFindings(oddities: readonly Oddity[], isField: (name: string) => boolean): readonly Found[] {
  return oddities.flatMap((oddity): readonly Found[] => {
    const { start, end } = oddity;
    const place = { severity: 'error', code: 'expression', offset: start, length: end - start } as const;
    switch (oddity.kind) {
      case 'call':
        return [{ ...place, ...called(oddity.name, oddity.method) }];
      case 'text-in-sum':
        return [{ ...place, ...summed(oddity.operator) }];
      case 'member': {
        const suggestion = `.${/^[A-Za-z_]\w*$/.test(oddity.name) ? oddity.name : `\`${oddity.name}\``}`;
        const message = `\`[…]\` filters here, and text lets everything through: a field is written \`${suggestion}\``;
        return [{ ...place, message, suggestion }];
      }
      case 'star': {
        const message = '`[*]` is of JSONPath: a path goes through lists by itself; leave it out';
        return [{ ...place, severity: 'warning', message, suggestion: '' }];
      }
      default:
        return isField(oddity.name) ? [] : strangeWord(oddity.name, place);
    }
  });
}

function called(name: string, method: boolean): Pick<Found, 'message' | 'suggestion'> {
  const meant = functionMeant(name);
  const isName = meant?.startsWith('$') === true && /^\$\w+$/.test(meant);
  if (method) {
    const how = isName ? `${meant}(…)` : (meant ?? '$name(…)');
    return { message: `Values have no methods: write \`${how}\` in the place of \`.${name}()\`` };
  }
  if (meant === undefined) return { message: `There is no function \`${name}\`; those there are begin with \`$\`` };
  if (!isName) return { message: `There is no function \`${name}\`: write \`${meant}\`` };
  return { message: `A function begins with \`$\`: write \`${meant}\``, suggestion: meant };
}

const summed = (operator: string): Pick<Found, 'message' | 'suggestion'> =>
  operator === '+'
    ? { message: '`+` adds numbers: texts are joined by `&`', suggestion: '&' }
    : { message: `\`${operator}\` takes numbers, and this is text: \`$number(…)\` makes one of it` };

function strangeWord(name: string, place: Omit<Found, 'message'>): readonly Found[] {
  if (/[‘’“”]/.test(name)) {
    const message = `\`${name}\` has typographic quotes, and is the name of a field: text stands in \`'\` or \`"\``;
    return [{ ...place, message }];
  }
  const said = { ...place, severity: 'warning', code: 'foreign-root' } as const;
  if (name === 'undefined') {
    const message = '`undefined` is a field of the body here: whether there is something tells `$exists(…)`';
    return [{ ...said, message }];
  }
  const meant = Object.hasOwn(values, name) ? values[name] : undefined;
  if (meant === undefined) return [];
  const message = `\`${name}\` is a field of the body here; did you mean \`${meant}\`? Where the body has it, write \`$.${name}\``;
  return [{ ...said, message, suggestion: meant }];
}
