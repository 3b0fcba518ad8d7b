import { type ConnectorDefinition, type Infer, type Schema, tlsProperties } from '#sdk';
import { check } from './check.ts';

const secret = { type: 'string', format: 'password' } as const satisfies Schema;

const credentials = {
  username: { type: 'string', description: 'The name.' },
  password: { ...secret, description: 'The password.', examples: ['${KAFKA_PASSWORD}'] },
} as const;

const topicName = {
  type: 'string',
  pattern: '^(?!\\.{1,2}$)[A-Za-z0-9._-]{1,249}$',
  patternText: 'the name of a topic: up to 249 letters, digits, `.`, `_` and `-`',
} as const satisfies Schema;

/** How the cluster is reached: the same for sources and endpoints. */
const cluster = {
  brokers: {
    either: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, minItems: 1 }],
    description:
      'Some brokers of the cluster, each `host:port`, as a list or with commas between; the others are learnt from them.',
    examples: ['${KAFKA_BROKERS}', ['kafka-1:9092', 'kafka-2:9092']],
  },
  auth: {
    type: 'object',
    oneKey: true,
    description: 'How the brokers know us (SASL). Nothing in a message can change it.',
    properties: {
      plain: {
        type: 'object',
        description: 'A name and a password as they are: only where nobody can listen, as over `tls`.',
        required: ['username', 'password'],
        properties: credentials,
      },
      scram: {
        type: 'object',
        description: 'A name and a password that is proved without being sent (RFC 5802).',
        required: ['username', 'password'],
        properties: {
          ...credentials,
          hash: {
            type: 'string',
            enum: ['sha-256', 'sha-512'],
            default: 'sha-512',
            description: 'As the broker keeps the password: SCRAM-SHA-256 or SCRAM-SHA-512.',
          },
        },
      },
    },
  },
  tls: {
    type: 'object',
    description: 'Encrypted connections, also with `tls: {}`: whom to trust, and who we are.',
    properties: {
      ...tlsProperties,
      servername: { type: 'string', description: "Name in the brokers' certificates, when it is not their host." },
    },
  },
  clientId: {
    type: 'string',
    pattern: '^[A-Za-z0-9._-]{1,249}$',
    patternText: 'up to 249 letters, digits, `.`, `_` and `-`',
    description: "What the brokers' logs and quotas call us; absent = the name of the integration.",
    examples: ['billing'],
  },
} as const;

export const source = {
  type: 'object',
  description:
    'Takes the records of topics as a member of a consumer group; each is committed when its flow is done with it.',
  properties: {
    ...cluster,
    topics: {
      type: 'array',
      items: topicName,
      minItems: 1,
      description: 'The topics to read.',
      examples: [['orders', 'returns']],
    },
    group: {
      type: 'string',
      pattern: '^[^\\s]{1,255}$',
      patternText: 'a name of 1 to 255 characters without blanks',
      description:
        'The consumer group. Processes with the same group share the partitions; where it was read to is kept by the cluster.',
      examples: ['billing'],
    },
    from: {
      type: 'string',
      enum: ['earliest', 'latest'],
      default: 'earliest',
      description:
        'Where a group begins that has read nothing yet: with all that is there, so that nothing is missed, or with what comes from now on.',
    },
    prefetch: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000,
      description:
        'How many records are handed to the flow at once, shared out among the partitions; absent = 20, or `concurrency` where that is more.',
    },
    maxBytes: {
      type: 'string',
      format: 'size',
      default: '10mb',
      description: 'How much is fetched ahead, in all. A single larger batch of the broker is taken all the same.',
    },
    session: {
      type: 'string',
      format: 'duration',
      default: '20s',
      description:
        'So long after its last sign of life the group gives the partitions of a process to others. A slow flow does not matter: signs of life go on.',
    },
    heartbeat: {
      type: 'string',
      format: 'duration',
      default: '3s',
      description: 'How often there is a sign of life; at most a third of `session`.',
    },
    instance: {
      type: 'string',
      pattern: '^[A-Za-z0-9._-]{1,249}$',
      patternText: 'up to 249 letters, digits, `.`, `_` and `-`',
      description:
        'A name that only this process of the group has, and has again when it is started anew: then it gets its partitions back at once, also after a crash (KIP-345). Without, others get them when `session` is over.',
      examples: ['${HOSTNAME}'],
    },
    commitEvery: {
      type: 'string',
      format: 'duration',
      default: '1s',
      description: 'How often it is written down how far the group has come. A crash repeats what was done since.',
    },
  },
  required: ['brokers', 'topics', 'group'],
} as const satisfies Schema;

export const endpoint = {
  type: 'object',
  description:
    'Writes records; done when all replicas in sync have one (`acks=all`), which is written once however often it is sent.',
  properties: {
    ...cluster,
    topic: { ...topicName, description: 'The topic of calls that name none.', examples: ['orders'] },
    compression: {
      type: 'string',
      enum: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
      default: 'none',
      description: 'How batches are compressed.',
    },
    linger: {
      type: 'string',
      format: 'duration',
      default: '0ms',
      description:
        'How long a record waits for others that go with it in one request. Records that come while a request is under way go together in any case.',
      examples: ['5ms'],
    },
  },
  required: ['brokers'],
} as const satisfies Schema;

export const call = {
  type: 'object',
  description: 'One record.',
  properties: {
    topic: {
      type: 'string',
      template: true,
      description: "Topic of this record; absent = the endpoint's.",
      examples: ['orders'],
    },
    key: {
      type: 'string',
      template: true,
      description:
        'Records with the same key stay in order: they get the same partition, the one that the Java client chooses. A hole that yields nothing = no key.',
      examples: ['${{ orderId }}'],
    },
    partition: {
      type: 'integer',
      template: true,
      description: 'The partition, instead of the one that follows from the key.',
      examples: [0],
    },
  },
} as const satisfies Schema;

export type SourceOptions = Infer<typeof source>;
export type EndpointOptions = Infer<typeof endpoint>;
export type ClusterOptions = Pick<EndpointOptions, 'brokers' | 'auth' | 'tls' | 'clientId'>;

export const definition = {
  name: 'kafka',
  summary: 'Reads topics of Apache Kafka as a member of a group, in the order of their partitions; writes records.',
  source,
  endpoint,
  call,
  settles: true,
  events: { prefix: 'ce_' },
  check,
  lacks: (endpoint, { topic }) =>
    (topic ?? (endpoint as Partial<EndpointOptions>).topic) === undefined ? ['topic'] : [],
} as const satisfies ConnectorDefinition;
