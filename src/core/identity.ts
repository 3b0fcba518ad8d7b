/** Who sent a message, as its source found out: `$identity`. */
export interface Identity {
  /** How the sender was known: `jwt`, `introspection`, `apiKey`, `basic`, `mtls`. */
  readonly scheme: string;
  /** The person or program itself. */
  readonly subject?: string | undefined;
  /** The program through which it came, where a token says so. */
  readonly clientId?: string | undefined;
  readonly scopes: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
}

const tokenKey = Symbol('token');

type WithToken = Identity & { readonly [tokenKey]?: string };

/** With the token that showed it: nothing that lists, copies, prints or keeps an identity meets the token. */
export function withToken(identity: Identity, token: string): Identity {
  return Object.defineProperty({ ...identity }, tokenKey, { value: token, enumerable: false });
}

/** The token that showed it; gone once the message was kept in the store. */
export const tokenOf = (identity: Identity | undefined): string | undefined =>
  (identity as WithToken | undefined)?.[tokenKey];
