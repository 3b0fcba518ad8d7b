import type { Headers, Identity } from '#sdk';

/** What a scheme sees of a request. */
export interface Asking {
  readonly request: {
    readonly rawHeaders: readonly string[];
    readonly socket: { readonly remoteAddress?: string | undefined };
  };
  readonly headers: Headers;
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  /** Who a test says is asking: then nobody checks how it shows that. */
  readonly stated?: Identity | undefined;
}

/** Why a caller was refused: for the log and the metric, never for the caller. */
export type Reason =
  | 'missing'
  | 'malformed'
  | 'signature'
  | 'algorithm'
  | 'unknown-key'
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'not-yet-valid'
  | 'claims'
  | 'inactive'
  | 'unknown'
  | 'certificate'
  | 'scopes'
  | 'condition'
  | 'rate'
  | 'unavailable';

export type Found = { readonly identity: Identity } | { readonly refused: Reason };

export interface Scheme {
  readonly name: 'jwt' | 'introspection' | 'apiKey' | 'basic' | 'mtls';
  /** As `WWW-Authenticate` asks for it (RFC 9110 §11.6.1), without parameters that say what was wrong. */
  readonly challenge: string;
  /** `undefined`: the request shows nothing of this kind. Rejects with `auth-unavailable` where that cannot be checked. */
  find(asking: Asking): Found | undefined | Promise<Found | undefined>;
  close?(): void;
}

/** The credentials in `Authorization`, where there is one such header and of this scheme. */
export function authorization({ headers, request }: Asking, scheme: string): string | 'several' | undefined {
  const value = headers['authorization'];
  if (typeof value !== 'string' || value.slice(0, scheme.length + 1).toLowerCase() !== `${scheme} `) return undefined;
  // Node takes the first, and another server on the way may have taken the last.
  const { rawHeaders } = request;
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === 'authorization') count += 1;
  return count > 1 ? 'several' : value.slice(scheme.length + 1).trim();
}

/** A token as RFC 6750 §2.1 writes it. */
const token = /^[A-Za-z0-9\-._~+/]+=*$/;

export function bearer(asking: Asking): { readonly token: string } | { readonly refused: Reason } | undefined {
  const credentials = authorization(asking, 'bearer');
  if (credentials === undefined) return undefined;
  return token.test(credentials) ? { token: credentials } : { refused: 'malformed' };
}

/** `scope` is text with blanks (RFC 8693 §4.2); others write `scp`, or a list. */
function scopesOf(claims: Readonly<Record<string, unknown>>): readonly string[] {
  const written = claims['scope'] ?? claims['scp'];
  if (typeof written === 'string') return written.split(' ').filter((one) => one !== '');
  return Array.isArray(written) ? written.filter((one) => typeof one === 'string') : [];
}

/** The claims of a token as `$identity`. */
export function identityOf(scheme: Scheme['name'], claims: Readonly<Record<string, unknown>>): Identity {
  const clientId = claims['client_id'] ?? claims['azp'] ?? claims['cid'];
  return {
    scheme,
    subject: typeof claims['sub'] === 'string' ? claims['sub'] : undefined,
    clientId: typeof clientId === 'string' ? clientId : undefined,
    scopes: scopesOf(claims),
    claims,
  };
}
