import { writtenIn } from './steps.ts';

export interface Address {
  /** `null`: it is made for each message, of nothing that the file shows. */
  readonly address: string | null;
  readonly parameters: Readonly<Record<string, { readonly description?: string }>>;
}

/** Holes of a template become parameters, which say by what they are filled. */
export function addressOf(written: unknown): Address {
  const value = writtenIn(written);
  if (typeof value !== 'string') return { address: null, parameters: {} };
  const parameters: Record<string, { readonly description?: string }> = {};
  const nameFor = (expression: string): string => {
    const plain = (/[A-Za-z_]\w*(?=[^\w]*$)/.exec(expression)?.[0] ?? 'value').replaceAll(/\W/g, '');
    let name = plain;
    for (let nth = 2; Object.hasOwn(parameters, name); nth += 1) name = `${plain}${nth}`;
    return name;
  };
  const address = value.replaceAll(/\$\{\{([\s\S]*?)\}\}/g, (_, expression: string) => {
    const name = nameFor(expression);
    parameters[name] = { description: `JSONata: ${expression.trim()}` };
    return `{${name}}`;
  });
  for (const [, name = ''] of address.matchAll(/\{([\w-]+)\}/g)) parameters[name] ??= {};
  return { address, parameters };
}
