import type { Infer, Schema } from '#sdk';

const tokenServer = {
  tokenUrl: {
    type: 'string',
    format: 'uri',
    description: 'Where tokens are given out.',
    examples: ['https://login.example.com/oauth2/token'],
  },
  issuer: {
    type: 'string',
    format: 'uri',
    description: 'Instead of `tokenUrl`: who gives them out; where, is found by OpenID Connect Discovery.',
    examples: ['https://login.example.com/realms/shop'],
  },
  clientId: { type: 'string', description: 'Our name there.', examples: ['place-order'] },
  clientSecret: {
    type: 'string',
    format: 'password',
    description: 'Our secret there.',
    examples: ['${CLIENT_SECRET}'],
  },
  authMethod: {
    type: 'string',
    enum: ['basic', 'post'],
    default: 'basic',
    description: 'How both are sent: in the `Authorization` header, or in the form.',
  },
  scopes: {
    type: 'array',
    items: { type: 'string' },
    minItems: 1,
    description: 'What the token is to allow; what the server thinks right when absent.',
    examples: [['stock.read']],
  },
  audience: { type: 'string', description: 'For whom the token is, where the server asks.', examples: ['stock-api'] },
  timeout: {
    type: 'string',
    format: 'duration',
    minimum: 1,
    default: '10s',
    description: 'How long the server may take for a token. A call waits no longer than its own policies allow.',
  },
  ca: {
    type: 'string',
    format: 'file',
    description: 'Authorities to trust for that server (PEM); those that everybody trusts when absent.',
  },
} as const satisfies Record<string, Schema>;

const oauth2 = {
  type: 'object',
  description:
    'A token of our own, fetched with client credentials (RFC 6749 §4.4), kept and renewed before it is over. A call that is answered 401 is repeated once with a new one.',
  required: ['clientId', 'clientSecret'],
  properties: tokenServer,
} as const satisfies Schema;

const tokenExchange = {
  type: 'object',
  description:
    'The token by which the source knew its caller, exchanged for one that is meant for the service (RFC 8693).',
  required: ['clientId', 'clientSecret'],
  properties: {
    ...tokenServer,
    resource: {
      type: 'string',
      format: 'uri',
      description: 'For which resource the token is, as a URI, where the server asks.',
    },
  },
} as const satisfies Schema;

const forward = {
  type: 'string',
  enum: ['bearer'],
  description:
    'The token by which the source knew its caller, as it is: for services that trust the same issuer, and are among those for whom it was made.',
} as const satisfies Schema;

const secret = { type: 'string', format: 'password' } as const satisfies Schema;

const aws = {
  type: 'object',
  description: 'Signs each request as AWS asks for it (Signature Version 4); bodies are held in memory to be signed.',
  required: ['region', 'service', 'accessKeyId', 'secretAccessKey'],
  properties: {
    region: { type: 'string', description: 'The region of the service.', examples: ['eu-central-1'] },
    service: { type: 'string', description: 'The name by which the service signs.', examples: ['execute-api', 's3'] },
    accessKeyId: { type: 'string', description: 'Which key it is.', examples: ['${AWS_ACCESS_KEY_ID}'] },
    secretAccessKey: { ...secret, description: 'The key.', examples: ['${AWS_SECRET_ACCESS_KEY}'] },
    sessionToken: {
      ...secret,
      description: 'Of temporary credentials; they are not renewed.',
      examples: ['${AWS_SESSION_TOKEN}'],
    },
  },
} as const satisfies Schema;

/** Credentials that each request has anew. */
export const outgoingOptions = { oauth2, tokenExchange, forward, aws } as const;

export type OAuth2Options = Infer<typeof oauth2>;
export type TokenExchangeOptions = Infer<typeof tokenExchange>;
export type AwsOptions = Infer<typeof aws>;
