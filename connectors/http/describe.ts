import type { Description, Served, ServedSecurity } from '#sdk';
import type { SourceOptions } from './definition.ts';

/** What documents say of an http source. */
export function served(options: SourceOptions): Served {
  const { path, method, contract: kept, reply, auth, rateLimit } = options;
  return {
    methods: [...new Set([method].flat())],
    path,
    contract: kept && { contract: kept.openapi.contract, operation: kept.operation },
    accepted: reply === 'accepted',
    limited: rateLimit !== undefined,
    security: securityOf(auth),
  };
}

const bearer = { type: 'http', scheme: 'bearer' } as const;

function securityOf(auth: SourceOptions['auth']): readonly ServedSecurity[] {
  const { jwt, introspection, apiKey, basic, mtls } = auth ?? {};
  const ways: (readonly [string, { readonly scopes?: readonly string[] | undefined } | undefined, object])[] = [
    ['jwt', jwt, jwtScheme(jwt)],
    ['introspection', introspection, { ...bearer, description: 'A token that its server is asked about.' }],
    ['apiKey', apiKey, apiKeyScheme(apiKey)],
    ['basic', basic, { type: 'http', scheme: 'basic' }],
    ['mtls', mtls, { type: 'mutualTLS' }],
  ];
  return ways.flatMap(([name, way, scheme]) =>
    way ? [{ name, scheme: scheme as Readonly<Record<string, unknown>>, scopes: way.scopes ?? [] }] : [],
  );
}

function jwtScheme(jwt: NonNullable<SourceOptions['auth']>['jwt']): object {
  if (jwt?.issuer === undefined || jwt.jwks !== undefined) return { ...bearer, bearerFormat: 'JWT' };
  const openIdConnectUrl = `${jwt.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  return { type: 'openIdConnect', openIdConnectUrl };
}

const apiKeyScheme = (apiKey: NonNullable<SourceOptions['auth']>['apiKey']): object =>
  apiKey?.query === undefined
    ? { type: 'apiKey', in: 'header', name: apiKey?.header ?? 'x-api-key' }
    : { type: 'apiKey', in: 'query', name: apiKey.query };

export const description: Description = { serves: served };
