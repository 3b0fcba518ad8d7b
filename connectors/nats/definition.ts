import type { ConnectorDefinition, Infer, Schema } from '#sdk';
import { check } from './check.ts';
import { connectionOptions, declare } from './connection-options.ts';

const name = {
  type: 'string',
  pattern: '^[^\\s.*>/\\\\]{1,255}$',
  patternText: 'a name without blanks, dots, `*`, `>` and slashes',
} as const satisfies Schema;
const subjects = { type: 'array', items: { type: 'string' }, minItems: 1 } as const satisfies Schema;

export const source = {
  type: 'object',
  oneOf: ['stream', 'subjects'],
  description:
    'Takes the messages of a JetStream stream, each acknowledged when its flow is done with it; or, of core NATS, what is published to subjects while we listen.',
  properties: {
    ...connectionOptions,
    stream: { ...name, description: 'The stream to read: at least once.', examples: ['ORDERS'] },
    subjects: {
      ...subjects,
      description:
        'Instead of `stream`: subjects of core NATS, at most once. `*` is one token, `>` at the end any number.',
      examples: [['telemetry.*.temperature']],
    },
    queue: {
      ...name,
      description: 'With `subjects`: each message goes to one member of this group.',
      examples: ['workers'],
    },
    reply: {
      type: 'boolean',
      default: false,
      description:
        'With `subjects`: answers those who ask; what the flow ends with goes to them. `respond` is possible then. Give a `queue`, or every process answers.',
    },
    capacity: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      default: 1000,
      description: 'With `subjects`: how many messages may wait in memory. More are dropped, counted and logged.',
    },
    declare,
    consumer: {
      ...name,
      description:
        'Name of the durable consumer, which knows what was acknowledged. Processes with the same one share its messages. Absent: the names of the integration and the flow.',
      examples: ['billing'],
    },
    create: {
      type: 'boolean',
      default: true,
      description:
        'The consumer is made where it is missing, and follows the file. `false`: it must be there, and stays as it is.',
    },
    filter: {
      ...subjects,
      description: 'Only messages of these subjects. More than one needs server 2.10.',
      examples: [['orders.placed']],
    },
    start: {
      either: [
        { type: 'string', enum: ['all', 'new', 'last', 'lastPerSubject'] },
        {
          type: 'object',
          oneKey: true,
          properties: {
            sequence: { type: 'integer', minimum: 1, description: 'From the message with this number.' },
            time: { type: 'string', description: 'From this time (ISO 8601).', examples: ['2026-11-21T08:00:00Z'] },
          },
        },
      ],
      default: 'all',
      description: 'Where a consumer begins that is made now.',
      examples: ['new', { sequence: 1 }],
    },
    ackWait: {
      type: 'string',
      format: 'duration',
      minimum: 1000,
      default: '30s',
      description:
        'After how long without a sign of us a message goes to somebody else. While it is worked on the server is told, however long that takes.',
    },
    prefetch: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      description:
        'How many messages this process holds unacknowledged. Absent: 20, or `concurrency` of the flow if that is more.',
      examples: [100],
    },
    maxAckPending: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000_000,
      default: 10_000,
      description:
        'How many messages of the consumer may be unacknowledged, in all processes, those that wait for their redelivery included. Then nothing more is handed out.',
    },
  },
} as const satisfies Schema;

export const endpoint = {
  type: 'object',
  oneOf: ['url', 'urls'],
  description: 'Publishes to subjects; done when a stream has stored the message. `call` asks a service of core NATS.',
  properties: {
    ...connectionOptions,
    subject: { type: 'string', description: 'For messages whose step gives none.', examples: ['orders.placed'] },
    jetstream: {
      type: 'boolean',
      default: true,
      description:
        'A `send` is done when a stream has stored the message. `false`: when the server has it; who does not listen then never gets it.',
    },
    stream: {
      ...name,
      description: 'The stream that must be the one to store it; with another one it is refused.',
      examples: ['ORDERS'],
    },
    declare,
  },
} as const satisfies Schema;

const text = { type: 'string', template: true } as const satisfies Schema;

export const call = {
  type: 'object',
  description: 'How one message is published; with `call`, the service that is asked.',
  properties: {
    subject: {
      type: 'string',
      template: 'subject',
      description:
        'The subject. Each hole gives text within one token: dots, wildcards and blanks in it are refused; `$segments(x)` keeps dots.',
      examples: ['orders.placed', 'orders.${{ country }}.placed'],
    },
    messageId: {
      ...text,
      description:
        'What the stream knows a repeat by (`Nats-Msg-Id`): within its duplicate window it is stored once. Absent: the `idempotencyKey` of the step.',
      examples: ['${{ orderId }}'],
    },
    expectLastSequence: {
      type: 'integer',
      template: true,
      description: 'Stored only if the last message of its subject in the stream has this number; 0 = there is none.',
      examples: ['${{ $source.sequence }}'],
    },
  },
} as const satisfies Schema;

export type NatsSourceOptions = Infer<typeof source>;
export type NatsEndpointOptions = Infer<typeof endpoint>;

export const definition: ConnectorDefinition = {
  name: 'nats',
  summary: 'Reads JetStream streams and subjects of NATS, publishes to them, and asks services (request–reply).',
  source,
  endpoint,
  call,
  replies: true,
  awaitsReply: (options) => (options as Partial<NatsSourceOptions>).reply === true,
  events: { prefix: 'ce-', percentEncoded: true, withContentType: true },
  settles: (options) => (options as Partial<NatsSourceOptions>).subjects === undefined,
  postpones: true,
  countsDeliveries: true,
  check,
  lacks: (endpoint, { subject }) =>
    (subject ?? (endpoint as Partial<NatsEndpointOptions>).subject) === undefined ? ['subject'] : [],
};
