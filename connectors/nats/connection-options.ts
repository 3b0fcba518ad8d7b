import { type Infer, type Schema, tlsProperties } from '#sdk';

const url = { type: 'string', format: 'uri' } as const satisfies Schema;

/** How both sides reach the servers; where all of it is equal they share a connection. */
export const connectionOptions = {
  url: {
    ...url,
    description:
      'The server: `nats://host:4222`, or `tls:` where TLS is a must. A user and a password may stand in it, if the whole is a secret.',
    examples: ['nats://localhost:4222', '${NATS_URL}'],
  },
  urls: {
    type: 'array',
    items: url,
    minItems: 1,
    description: 'Several servers of one cluster: any of them will do, the others stand by.',
    examples: [['nats://n1.internal:4222', 'nats://n2.internal:4222']],
  },
  username: { type: 'string', description: 'Name of the user.', examples: ['billing'] },
  password: { type: 'string', format: 'password', description: 'Its password.', examples: ['${NATS_PASSWORD}'] },
  token: { type: 'string', format: 'password', description: 'A token instead of a user.', examples: ['${NATS_TOKEN}'] },
  nkey: {
    type: 'string',
    format: 'password',
    description: 'The seed of an nkey (`SU…`) that the server knows.',
    examples: ['${NATS_SEED}'],
  },
  credentials: {
    type: 'string',
    format: 'file',
    description: 'A credentials file (`.creds`): the JWT of a user, and its seed.',
    examples: ['./billing.creds'],
  },
  tls: {
    type: 'object',
    description: 'Whom to trust, and who we are. With it a server without TLS is refused.',
    properties: tlsProperties,
  },
  heartbeat: {
    type: 'string',
    format: 'duration',
    minimum: 100,
    default: '10s',
    description:
      'How often the server is asked whether it is there; twice without an answer, and the connection is lost.',
  },
  connectTimeout: {
    type: 'string',
    format: 'duration',
    minimum: 1,
    default: '5s',
    description: 'For connecting to one server, TLS and the greeting included.',
  },
} as const satisfies Readonly<Record<string, Schema>>;

export type ConnectionOptions = Infer<{ properties: typeof connectionOptions }>;

const count = { type: 'integer', minimum: 1 } as const satisfies Schema;

/** A stream that is made where it is missing. */
export const declare = {
  type: 'object',
  required: ['subjects'],
  description: 'Makes the stream where it is missing. One that is there is left as it is.',
  properties: {
    subjects: {
      type: 'array',
      items: { type: 'string' },
      minItems: 1,
      description: 'Which subjects the stream stores: `*` is one token, `>` at the end any number.',
      examples: [['orders.>']],
    },
    storage: { type: 'string', enum: ['file', 'memory'], default: 'file', description: 'Where messages are kept.' },
    retention: {
      type: 'string',
      enum: ['limits', 'workqueue', 'interest'],
      default: 'limits',
      description:
        'When messages go: by the limits alone, when a consumer has acknowledged them, or when all that are interested have.',
    },
    replicas: { ...count, maximum: 5, default: 1, description: 'On how many servers of the cluster each message is.' },
    maxAge: {
      type: 'string',
      format: 'duration',
      minimum: 100,
      description: 'How long messages are kept; absent = for ever.',
    },
    maxMessages: { ...count, description: 'How many messages are kept; the oldest go first. Absent = any number.' },
    maxBytes: {
      type: 'string',
      format: 'size',
      description: 'How much is kept; absent = any amount.',
      examples: ['1gb'],
    },
    duplicateWindow: {
      type: 'string',
      format: 'duration',
      minimum: 100,
      default: '2m',
      description: 'For how long a `messageId` that comes again is known.',
    },
  },
} as const satisfies Schema;

export type DeclareOptions = Infer<typeof declare>;
