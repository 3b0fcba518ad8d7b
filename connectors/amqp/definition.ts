import type { ConnectorDefinition, Infer, Schema } from '#sdk';
import { check, lacks } from './check.ts';
import { connectionOptions } from './connection-options.ts';

const exchangeType = {
  type: 'string',
  pattern: '^(direct|fanout|topic|headers|x-[\\w.-]+)$',
  patternText: '`direct`, `fanout`, `topic`, `headers` or a type of a plugin (`x-…`)',
} as const satisfies Schema;

const named = { type: 'string', pattern: '^[^\\s].{0,254}$', patternText: 'a name of 1 to 255 characters' } as const;

const brokerArguments = {
  type: 'object',
  additionalProperties: { any: true },
} as const satisfies Schema;

export const source = {
  type: 'object',
  description: 'Takes the messages of a queue; each is acknowledged when its flow is done with it.',
  properties: {
    ...connectionOptions,
    queue: { ...named, description: 'The queue to read.', examples: ['audit'] },
    declare: {
      type: 'object',
      description:
        'What kind of queue it is; made where it is missing. Absent: a durable quorum queue. One that is there already must be of this kind.',
      properties: {
        passive: {
          type: 'boolean',
          default: false,
          description: 'The queue is only checked, never made: somebody else looks after it.',
        },
        type: {
          type: 'string',
          enum: ['quorum', 'classic'],
          default: 'quorum',
          description: 'Quorum queues are replicated, and count how often a message was delivered.',
        },
        durable: { type: 'boolean', default: true, description: 'Survives a restart of the broker.' },
        exclusive: {
          type: 'boolean',
          default: false,
          description: 'Only for this connection; goes with it, and all that is in it. Classic queues only.',
        },
        autoDelete: {
          type: 'boolean',
          default: false,
          description: 'Goes with its last reader. Classic queues only.',
        },
        arguments: {
          ...brokerArguments,
          description: 'Further arguments, as the broker calls them.',
          examples: [{ 'x-max-length': 10_000, 'x-overflow': 'reject-publish' }],
        },
      },
    },
    bind: {
      type: 'array',
      minItems: 1,
      description: 'Which messages come into the queue: those of these exchanges.',
      items: {
        type: 'object',
        required: ['exchange'],
        properties: {
          exchange: { ...named, description: 'Name of the exchange.', examples: ['orders'] },
          routingKey: {
            type: 'string',
            default: '',
            description: 'Only messages with this key; of a topic exchange `*` is one word and `#` any number.',
            examples: ['order.#'],
          },
          headers: {
            ...brokerArguments,
            description: 'Of a headers exchange: the headers asked for, with `x-match: all` or `any`.',
            examples: [{ 'x-match': 'all', region: 'eu' }],
          },
          type: {
            ...exchangeType,
            description:
              'Type of the exchange: it is made (durable) where it is missing. Absent: it must be there already.',
            examples: ['topic'],
          },
        },
      },
    },
    prefetch: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      description:
        'How many messages the broker hands over before the first is acknowledged. Absent: 20, or `concurrency` of the flow if that is more.',
      examples: [100],
    },
    exclusive: {
      type: 'boolean',
      default: false,
      description:
        'The only reader of a classic queue. While another process is it, this one stands by: it is not ready, and takes over when the queue is free.',
    },
    consumerTag: {
      ...named,
      description: 'What the broker calls this reader; absent: a name that it makes.',
      examples: ['audit-${HOSTNAME}'],
    },
    priority: {
      type: 'integer',
      minimum: -2_147_483_648,
      maximum: 2_147_483_647,
      description: 'Readers of a higher priority get messages first; absent = 0.',
    },
    reply: {
      type: 'boolean',
      default: false,
      description:
        'Answers those who ask: what the flow ends with goes to `replyTo` of the message, with its `correlationId`, before it is acknowledged. `respond` is possible then.',
    },
  },
  required: ['url', 'queue'],
} as const satisfies Schema;

export const endpoint = {
  type: 'object',
  description: 'Publishes to an exchange; done when the broker has confirmed that it has the message.',
  properties: {
    ...connectionOptions,
    exchange: {
      type: 'object',
      required: ['name'],
      description: 'Where messages are published. Absent: the default exchange, where the routing key names a queue.',
      properties: {
        name: { ...named, description: 'Name of the exchange.', examples: ['orders'] },
        type: {
          ...exchangeType,
          description: 'Made where it is missing, of this type. Absent: it is only checked, and must be there already.',
          examples: ['topic'],
        },
        durable: { type: 'boolean', default: true, description: 'Survives a restart of the broker.' },
        autoDelete: { type: 'boolean', default: false, description: 'Goes with the last queue bound to it.' },
        arguments: {
          ...brokerArguments,
          description: 'Further arguments, as the broker calls them.',
          examples: [{ 'alternate-exchange': 'unroutable' }],
        },
      },
    },
    routingKey: {
      type: 'string',
      description: 'For messages whose step gives none.',
      examples: ['order.placed'],
    },
    maxUnconfirmed: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      default: 1000,
      description: 'How many messages may be with the broker unconfirmed. One more waits, within its timeout.',
    },
  },
  required: ['url'],
} as const satisfies Schema;

const text = { type: 'string', template: true } as const satisfies Schema;

export const call = {
  type: 'object',
  description: 'How one message is published. With `call` an answer is waited for (direct reply-to).',
  properties: {
    routingKey: {
      type: 'string',
      template: 'routing-key',
      description:
        'The routing key; of the default exchange the name of the queue. Each hole gives text within one word: dots, `*` and `#` in it are refused; `$segments(x)` keeps dots. Absent: that of the endpoint.',
      examples: ['order.placed', 'order.${{ country }}'],
    },
    mandatory: {
      type: 'boolean',
      default: true,
      description:
        'A message that no queue gets is the error `unroutable`; `false`: it is dropped, as the broker does.',
    },
    persistent: {
      type: 'boolean',
      default: true,
      description: 'Survives a restart of the broker, in a durable queue.',
    },
    headers: {
      type: 'object',
      template: true,
      description: 'Headers with values of any type (numbers, true and false): those of the step are text.',
      examples: [{ attempt: 1, express: '${{ express }}' }],
    },
    messageId: {
      ...text,
      description: 'What receivers know a repeat by. Absent: the `idempotencyKey` of the step, else a new one.',
      examples: ['${{ orderId }}'],
    },
    correlationId: { ...text, description: 'What this message belongs to. A `call` sets its own.' },
    replyTo: { ...text, description: 'The queue that answers shall go to. A `call` sets its own.' },
    expiration: {
      ...text,
      description: 'How long it may wait in a queue: `30s`, or a number of milliseconds.',
      examples: ['30s'],
    },
    priority: {
      type: 'integer',
      template: true,
      description: '0 to 255, for queues with `x-max-priority`.',
      examples: ['${{ urgent ? 9 : 0 }}'],
    },
    type: {
      ...text,
      description: 'What kind of message it is, in words of the application.',
      examples: ['OrderPlaced'],
    },
  },
} as const satisfies Schema;

export type AmqpSourceOptions = Infer<typeof source>;
export type AmqpEndpointOptions = Infer<typeof endpoint>;
export type QueueOptions = NonNullable<AmqpSourceOptions['declare']>;
export type Binding = NonNullable<AmqpSourceOptions['bind']>[number];
export type ExchangeOptions = NonNullable<AmqpEndpointOptions['exchange']>;

export const definition: ConnectorDefinition = {
  name: 'amqp',
  summary: 'Reads queues of RabbitMQ (AMQP 0-9-1), publishes to its exchanges, asks and answers over it.',
  source,
  endpoint,
  call,
  replies: true,
  awaitsReply: (options) => (options as Partial<AmqpSourceOptions>).reply === true,
  unanswered: '`amqp` sends answers only with `reply: true`',
  settles: true,
  events: { prefix: 'cloudEvents_', accepts: ['cloudevents:'] },
  writesTrace: true,
  postpones: true,
  countsDeliveries: true,
  check,
  lacks,
};
