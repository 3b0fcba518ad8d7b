import type { Contract, ContractOperation } from '#sdk';

type Kind = 'token' | 'basic' | 'key' | 'certificate' | 'other';

/** One of the ways in which the document lets callers show who they are. */
export interface Scheme {
  readonly kind: Kind;
  /** Its name in the document. */
  readonly name: string;
  /** What it is, in words. */
  readonly words: string;
  /** Where a key stands: `header x-api-key`. */
  readonly place: string;
  readonly scopes: readonly string[];
  /** Where the document says that tokens are given out. */
  readonly tokenUrl: string | undefined;
}

/** Schemes that must all be there. */
export type Requirement = readonly Scheme[];

/** The alternatives; none where anybody may call. */
export function requirements({ told }: ContractOperation, { securitySchemes }: Contract): readonly Requirement[] {
  const { security } = told;
  if (!Array.isArray(security)) return [];
  const all = security.map((one: unknown) =>
    Object.entries((one ?? {}) as Readonly<Record<string, unknown>>).map(([name, scopes]) =>
      schemeOf(name, securitySchemes[name], Array.isArray(scopes) ? scopes.map(String) : []),
    ),
  );
  return all.some((one) => one.length === 0) ? [] : all;
}

function schemeOf(name: string, written: unknown, scopes: readonly string[]): Scheme {
  const { type, scheme, in: where, name: called, flows } = (written ?? {}) as Readonly<Record<string, unknown>>;
  const base = { name, place: '', scopes: [], tokenUrl: undefined };
  const words = (text: string): string => `${text} (\`${name}\`)`;
  if (type === 'http' && lower(scheme) === 'bearer') return { ...base, kind: 'token', words: words('a bearer token') };
  if (type === 'http' && lower(scheme) === 'basic') {
    return { ...base, kind: 'basic', words: words('a name and a password') };
  }
  if (type === 'oauth2' || type === 'openIdConnect') {
    const { clientCredentials } = (flows ?? {}) as Readonly<
      Record<string, { readonly tokenUrl?: unknown } | undefined>
    >;
    const tokenUrl = clientCredentials?.tokenUrl;
    const known = typeof tokenUrl === 'string' ? tokenUrl : undefined;
    return { ...base, kind: 'token', words: words('a bearer token'), scopes, tokenUrl: known };
  }
  if (type === 'apiKey') {
    const key = where === 'header' ? lower(called) : String(called);
    const text = `a key in the ${where === 'query' ? 'query parameter' : String(where)} \`${String(called)}\``;
    return { ...base, kind: 'key', words: words(text), place: `${String(where)} ${key}` };
  }
  if (type === 'mutualTLS') return { ...base, kind: 'certificate', words: words('a certificate') };
  return { ...base, kind: 'other', words: `\`${name}\`` };
}

const lower = (value: unknown): string => String(value).toLowerCase();

export const inWords = (demanded: readonly Requirement[]): string =>
  demanded.map((all) => all.map((one) => one.words).join(' and ')).join(', or ');
