import { type Infer, type Schema, tlsProperties } from '#sdk';

/** How both sides reach the server; where all of it is equal they share a connection. */
export const connectionOptions = {
  url: {
    type: 'string',
    format: 'uri',
    description:
      'The server: `redis://host:6379`, or `rediss:` for TLS; a number as path chooses the database. A user and a password may stand in it, if the whole is a secret.',
    examples: ['redis://localhost:6379', '${REDIS_URL}'],
  },
  username: { type: 'string', description: 'User of the server’s access list; `default` when absent.' },
  password: { type: 'string', format: 'password', description: 'Its password.', examples: ['${REDIS_PASSWORD}'] },
  tls: {
    type: 'object',
    description: 'For `rediss:`: whom to trust, and who we are.',
    properties: tlsProperties,
  },
  heartbeat: {
    type: 'string',
    format: 'duration',
    minimum: 100,
    default: '10s',
    description:
      'How often the server is asked whether it is there; without an answer until the next time the connection is lost.',
  },
  connectTimeout: {
    type: 'string',
    format: 'duration',
    minimum: 1,
    default: '5s',
    description: 'For connecting, TLS and the greeting included.',
  },
} as const satisfies Readonly<Record<string, Schema>>;

export type ConnectionOptions = Infer<{ properties: typeof connectionOptions; required: readonly ['url'] }>;
