import type { Infer, Schema } from '#sdk';

const texts = { type: 'array', items: { type: 'string' }, minItems: 1 } as const satisfies Schema;
const secret = { type: 'string', format: 'password' } as const satisfies Schema;

/** What a caller must be, besides known. */
const conditions = {
  scopes: {
    ...texts,
    description: 'Scopes that the caller must have, all of them; else 403.',
    examples: [['orders.write']],
  },
  when: {
    type: 'string',
    format: 'expression',
    description:
      'JSONata that must be true, else 403. Sees `$identity`, `$headers`, `$params`, `$query`, `$source` and `$config`, and no body.',
    examples: ['$identity.claims.tenant = $params.tenant'],
  },
} as const satisfies Record<string, Schema>;

const timeout = {
  type: 'string',
  format: 'duration',
  minimum: 1,
  default: '5s',
  description: 'How long its server may take.',
} as const satisfies Schema;

const ca = {
  type: 'string',
  format: 'file',
  description: 'Authorities to trust for its server (PEM); those that everybody trusts when absent.',
} as const satisfies Schema;

const byPrivateKey =
  'Write what the issuer signs with by a private key, such as `RS256` or `ES256`, or leave `algorithms` out';
const shared = `that is a signature by a shared secret, which everybody who checks a token could make as well. ${byPrivateKey}`;
const notTaken = {
  none: `a token without a signature is one that anybody can write. ${byPrivateKey}`,
  HS256: shared,
  HS384: shared,
  HS512: shared,
};

/** Signatures that only the holder of a private key can make. With a shared secret, whoever checks could forge. */
export const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

const jwt = {
  type: 'object',
  description: 'A signed token (JSON Web Token) in `Authorization: Bearer …`, checked here (RFC 7519, RFC 9068).',
  properties: {
    issuer: {
      type: 'string',
      format: 'uri',
      description:
        'Who must have made the token (`iss`). Without `jwks` its keys are found by OpenID Connect Discovery.',
      examples: ['https://login.example.com/realms/shop'],
    },
    jwks: {
      type: 'string',
      format: 'uri',
      description: 'Where the public keys of the issuer are (JWK Set), where it has no discovery.',
      examples: ['https://login.example.com/certs'],
    },
    audience: {
      either: [{ type: 'string' }, texts],
      description: 'For whom the token must be made (`aud`): one of these.',
      examples: ['orders-api'],
    },
    anyIssuer: {
      type: 'boolean',
      default: false,
      description: '`true`, with `jwks` and without `issuer`: whoever holds one of the keys.',
    },
    anyAudience: {
      type: 'boolean',
      default: false,
      description: '`true`, without `audience`: tokens that were made for others are taken as well.',
    },
    algorithms: {
      type: 'array',
      items: { type: 'string', enum: algorithms, notTaken },
      minItems: 1,
      default: algorithms,
      description: 'The signatures that are taken. Never `none`, and no shared secrets (HS256).',
      examples: [['RS256', 'ES256']],
    },
    clockTolerance: {
      type: 'string',
      format: 'duration',
      maximum: 600_000,
      default: '30s',
      description: 'By how much the clocks of issuer and server may differ.',
    },
    ...conditions,
    timeout,
    ca,
  },
} as const satisfies Schema;

const introspection = {
  type: 'object',
  description: 'A token in `Authorization: Bearer …` that the server which made it is asked about (RFC 7662).',
  required: ['url', 'clientId', 'clientSecret'],
  properties: {
    url: {
      type: 'string',
      format: 'uri',
      description: 'The introspection endpoint.',
      examples: ['https://login.example.com/oauth2/introspect'],
    },
    clientId: { type: 'string', description: 'Our name there.', examples: ['orders-api'] },
    clientSecret: { ...secret, description: 'Our secret there.', examples: ['${INTROSPECTION_SECRET}'] },
    authMethod: {
      type: 'string',
      enum: ['basic', 'post'],
      default: 'basic',
      description: 'How both are sent: in the `Authorization` header, or in the form.',
    },
    audience: {
      either: [{ type: 'string' }, texts],
      description:
        'For whom the token must be made (`aud`): one of these. Whoever holds any token of that server when absent.',
      examples: ['orders-api'],
    },
    cache: {
      type: 'string',
      format: 'duration',
      maximum: 3_600_000,
      default: '30s',
      description:
        'How long an answer is believed, never longer than the token lives; `0s`: the server is asked each time.',
    },
    ...conditions,
    timeout,
    ca,
  },
} as const satisfies Schema;

const apiKey = {
  type: 'object',
  description: 'A key that belongs to one caller.',
  required: ['keys'],
  properties: {
    header: { type: 'string', description: 'Header that holds it; `x-api-key` when absent.', examples: ['x-api-key'] },
    query: {
      type: 'string',
      description: 'Query parameter that holds it, instead of a header: it may end up in the logs of proxies.',
      examples: ['key'],
    },
    keys: {
      type: 'array',
      minItems: 1,
      description: 'Who is known by which key. Two entries with the same `id` let a key be replaced without a gap.',
      items: {
        type: 'object',
        required: ['id', 'key'],
        properties: {
          id: { type: 'string', description: 'Who it is: `$identity.subject`.', examples: ['shop'] },
          key: { ...secret, description: 'The key.', examples: ['${SHOP_KEY}'] },
          scopes: { ...texts, description: 'What it may do: `$identity.scopes`.' },
        },
      },
    },
    ...conditions,
  },
} as const satisfies Schema;

const basic = {
  type: 'object',
  description: 'A name and a password (RFC 7617).',
  required: ['users'],
  properties: {
    users: {
      type: 'array',
      minItems: 1,
      description: 'Who is let in.',
      items: {
        type: 'object',
        required: ['name', 'password'],
        properties: {
          name: { type: 'string', description: 'The name: `$identity.subject`.', examples: ['shop'] },
          password: { ...secret, description: 'The password.', examples: ['${SHOP_PASSWORD}'] },
          scopes: { ...texts, description: 'What it may do: `$identity.scopes`.' },
        },
      },
    },
    ...conditions,
  },
} as const satisfies Schema;

const mtls = {
  type: 'object',
  description: 'A certificate of one of the authorities under `server.tls.ca`.',
  properties: {
    subjects: {
      ...texts,
      description:
        'Names of which the certificate must have one: its common name, or an alternative name (DNS, URI, e-mail). Every certificate of the authorities when absent.',
      examples: [['shop.example.com', 'spiffe://example.com/shop']],
    },
    ...conditions,
  },
} as const satisfies Schema;

export const authOptions = {
  type: 'object',
  minItems: 1,
  description:
    'Who may call: several ways are alternatives. Others are answered 401, or 403 where they are known and may not, before the body is read. The flow knows the caller as `$identity`.',
  examples: [{ jwt: { issuer: 'https://login.example.com/realms/shop', audience: 'orders-api' } }],
  properties: { jwt, introspection, apiKey, basic, mtls },
} as const satisfies Schema;

export const requestLimitOptions = {
  type: 'object',
  required: ['rate'],
  description:
    'How many requests each caller may make; one more is answered 429, before its body is read. Failed attempts to log in count against the address.',
  examples: [{ rate: '10/s', burst: 20 }],
  properties: {
    rate: { type: 'string', format: 'rate', description: 'Requests per time.', examples: ['10/s', '600/m'] },
    burst: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      description: 'Requests that may come at once after a pause; those of one `rate` unit when absent.',
    },
    key: {
      type: 'string',
      format: 'expression',
      description:
        'JSONata that tells callers apart. When absent, or where it yields nothing: `$identity.subject`, else `$identity.clientId`, else the address of the client. Sees what `when` of `auth` sees.',
      examples: ['$identity.clientId'],
    },
    maxKeys: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      default: 10_000,
      description:
        'How many callers are counted at once; beyond that the one that was silent for longest is forgotten.',
    },
  },
} as const satisfies Schema;

export type AuthOptions = Infer<typeof authOptions>;
export type JwtOptions = NonNullable<AuthOptions['jwt']>;
export type IntrospectionOptions = NonNullable<AuthOptions['introspection']>;
export type ApiKeyOptions = NonNullable<AuthOptions['apiKey']>;
export type BasicOptions = NonNullable<AuthOptions['basic']>;
export type MtlsOptions = NonNullable<AuthOptions['mtls']>;
export type RequestLimitOptions = Infer<typeof requestLimitOptions>;
