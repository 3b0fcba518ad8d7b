import { type Infer, type Schema, tlsProperties } from '#sdk';

const url = { type: 'string', format: 'uri' } as const satisfies Schema;

/** How to reach the broker: the same for sources and endpoints, which share a connection where all of it is equal. */
export const connectionOptions = {
  url: {
    either: [url, { type: 'array', items: url, minItems: 1 }],
    description:
      'Where the broker is: `amqp://host:port/vhost`, or `amqps:` for TLS. Of several, each is tried in turn until one answers. May hold user name and password, if the whole is a secret.',
    examples: ['amqp://localhost:5672', '${AMQP_URL}', ['amqp://mq-1', 'amqp://mq-2']],
  },
  username: { type: 'string', description: 'The user, where the URL does not name one; else `guest`.' },
  password: {
    type: 'string',
    format: 'password',
    description: 'The password, where the URL has none.',
    examples: ['${AMQP_PASSWORD}'],
  },
  auth: {
    type: 'string',
    enum: ['password', 'certificate'],
    default: 'password',
    description: '`certificate`: the broker knows the user by the client certificate under `tls` (SASL EXTERNAL).',
  },
  tls: {
    type: 'object',
    description: 'For `amqps:`: whom to trust, and who we are.',
    properties: tlsProperties,
  },
  heartbeat: {
    type: 'string',
    format: 'duration',
    default: '10s',
    description:
      'How often both sides show that they are there, in whole seconds; after two that stay away the connection is lost. The broker may ask for less.',
  },
  connectTimeout: {
    type: 'string',
    format: 'duration',
    default: '5s',
    description: 'For connecting, TLS and signing in included.',
  },
} as const satisfies Readonly<Record<string, Schema>>;

export type ConnectionOptions = Infer<{
  readonly type: 'object';
  readonly properties: typeof connectionOptions;
  readonly required: readonly ['url'];
}>;
