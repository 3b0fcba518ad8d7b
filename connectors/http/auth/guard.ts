import { Failure, failure, type Identity, type SourceContext } from '#sdk';
import type { AuthOptions } from './options.ts';
import { insufficientScope, type Refusals, type Refused, unauthenticated } from './refusals.ts';
import type { Asking, Scheme } from './scheme.ts';

/** What a caller must be, besides known. */
export interface Conditions {
  readonly scopes: readonly string[];
  readonly holds: ((seen: Readonly<Record<string, unknown>>) => unknown) | undefined;
}

export interface Guarded {
  readonly scheme: Scheme;
  readonly conditions: Conditions;
}

type Seen = (identity: Identity) => Readonly<Record<string, unknown>>;

export type MakeScheme = (name: Scheme['name'], auth: AuthOptions, context: SourceContext) => Promise<Scheme>;

/** What costs nothing is tried first. */
const order = ['mtls', 'apiKey', 'basic', 'jwt', 'introspection'] as const;

export async function schemesOf(
  auth: AuthOptions,
  context: SourceContext,
  make: MakeScheme,
): Promise<readonly Guarded[]> {
  const all: Guarded[] = [];
  for (const name of order) {
    const options = auth[name];
    if (!options) continue;
    const holds = options.when && context.expression(options.when);
    all.push({ scheme: await make(name, auth, context), conditions: { scopes: options.scopes ?? [], holds } });
  }
  return all;
}

/** Loads what is used, and nothing else. */
export const realScheme: MakeScheme = async (name, auth, context) => {
  const realm = context.integration.name;
  if (auth.mtls && name === 'mtls') {
    return (await import('./certificate.ts')).certificateScheme(auth.mtls, realm, context.clock);
  }
  if (auth.apiKey && name === 'apiKey') return (await import('./api-key.ts')).apiKeyScheme(auth.apiKey, realm);
  if (auth.basic && name === 'basic') return (await import('./basic.ts')).basicScheme(auth.basic, realm);
  if (auth.jwt && name === 'jwt') return (await import('./jwt.ts')).jwtScheme(auth.jwt, context);
  if (auth.introspection && name === 'introspection') {
    return (await import('./introspection.ts')).introspectionScheme(auth.introspection, context);
  }
  throw failure('bug', { detail: `nothing is known about the scheme ${name}` });
};

/** Finds out who is asking: the first scheme that knows the caller and lets it in. Rejects with what the caller is answered. */
export async function identify(
  asking: Asking,
  guarded: readonly Guarded[],
  seen: Seen,
  refusals: Refusals,
): Promise<Identity> {
  const refused: Refused[] = [];
  let unavailable: Failure | undefined;
  let notAllowed: { readonly error: Failure; readonly reason: 'scopes' | 'condition'; readonly by: Scheme } | undefined;
  for (const { scheme, conditions } of guarded) {
    try {
      const found = await scheme.find(asking);
      if (!found) continue;
      if ('refused' in found) {
        refused.push({ scheme, reason: found.refused });
        continue;
      }
      const { identity } = found;
      const problem = await allowed(scheme, identity, conditions, seen);
      if (!problem) return identity;
      notAllowed ??= { ...problem, by: scheme };
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown.code !== 'auth-unavailable') throw thrown;
      unavailable ??= thrown;
    }
  }
  // It might have been let in.
  if (unavailable) {
    refusals.count('unavailable', asking);
    throw unavailable;
  }
  if (notAllowed) {
    refusals.count(notAllowed.reason, asking, notAllowed.by.name);
    throw notAllowed.error;
  }
  const [first] = refused;
  refusals.count(first?.reason ?? 'missing', asking, first?.scheme.name);
  throw unauthenticated(
    guarded.map((one) => one.scheme),
    refused,
  );
}

async function allowed(
  scheme: Scheme,
  identity: Identity,
  { scopes, holds }: Conditions,
  seen: Seen,
): Promise<{ readonly error: Failure; readonly reason: 'scopes' | 'condition' } | undefined> {
  if (!scopes.every((scope) => identity.scopes.includes(scope))) {
    return { error: insufficientScope(scheme, scopes), reason: 'scopes' };
  }
  if (holds && (await holds(seen(identity))) !== true) return { error: failure('forbidden'), reason: 'condition' };
  return undefined;
}
