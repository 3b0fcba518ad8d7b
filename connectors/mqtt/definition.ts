import { type ConnectorDefinition, type Infer, type Schema, tlsProperties } from '#sdk';
import { check, claims } from './check.ts';

const uri = { type: 'string', format: 'uri' } as const satisfies Schema;

/** How both sides reach the broker. */
const connection = {
  url: {
    either: [uri, { type: 'array', items: uri, minItems: 1 }],
    description:
      'Where the broker is: `mqtt://host:port`, or `mqtts:` for TLS (ports 1883 and 8883 when none is given). Of several (of one broker, or of a cluster that shares its sessions), each is tried in turn until one answers. May hold user name and password, if the whole is a secret.',
    examples: ['mqtt://localhost:1883', '${MQTT_URL}', ['mqtt://mq-1', 'mqtt://mq-2']],
  },
  version: {
    either: [{ type: 'number' }, { type: 'string', enum: ['3.1.1'] }],
    default: 5,
    description:
      'Version of the protocol. Only 5 has headers (user properties), content types, reasons for refusals and a receive maximum.',
    examples: ['3.1.1'],
  },
  username: { type: 'string', description: 'Name of the user.', examples: ['collector'] },
  password: { type: 'string', format: 'password', description: 'Its password.', examples: ['${MQTT_PASSWORD}'] },
  tls: {
    type: 'object',
    description: 'For `mqtts:`: whom to trust, and who we are.',
    properties: tlsProperties,
  },
  keepalive: {
    type: 'string',
    format: 'duration',
    minimum: 1000,
    maximum: 65_535_000,
    default: '30s',
    description:
      'How often a silent connection shows that it lives; half as long again without an answer, and it is lost.',
  },
  connectTimeout: {
    type: 'string',
    format: 'duration',
    minimum: 1,
    default: '10s',
    description: 'For connecting, TLS and the greeting of the broker included.',
  },
} as const satisfies Readonly<Record<string, Schema>>;

/** A publisher's exactly-once would end at the broker: what comes after it is at least once all the same. */
const publishedQos = { type: 'integer', minimum: 0, maximum: 1 } as const satisfies Schema;

export const sourceSchema = {
  type: 'object',
  description: 'Subscribes to topics, and acknowledges each message when its flow is done with it.',
  required: ['url', 'topics'],
  properties: {
    ...connection,
    topics: {
      type: 'array',
      items: { type: 'string' },
      minItems: 1,
      description: 'Topic filters: `+` stands for one level, `#` at the end for all the rest.',
      examples: [['sensors/+/temperature', 'alarms/#']],
    },
    qos: {
      type: 'integer',
      minimum: 0,
      maximum: 2,
      default: 1,
      description:
        '1: at least once, and `clientId` is needed. 0: at most once, nothing waits while we are away. 2 is subscribed as 1: put `idempotent` into the flow.',
    },
    clientId: {
      type: 'string',
      description:
        'The name of our session at the broker, where messages wait while we are away. No two clients may have the same: one throws the other out.',
      examples: ['telemetry-1', '${HOSTNAME}'],
    },
    share: {
      type: 'string',
      description:
        'Name of a group: each message goes to one of its members (shared subscription). Each member needs a `clientId` of its own.',
      examples: ['collectors'],
    },
    sessionExpiry: {
      type: 'string',
      format: 'duration',
      default: '7d',
      description:
        'How long the broker keeps our session, and the messages in it, while we are away. Under 3.1.1 the broker alone decides.',
    },
    receiveMaximum: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      description:
        'How many messages may be here unacknowledged, those that wait for another attempt included. Default: 20, or `concurrency` of the flow if that is more.',
    },
    capacity: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      default: 1000,
      description: 'How many messages of QoS 0 may wait here. More are dropped, counted and logged.',
    },
  },
} as const satisfies Schema;

export const endpointSchema = {
  type: 'object',
  description: 'Publishes each message; done when the broker has taken it.',
  required: ['url'],
  properties: {
    ...connection,
    clientId: {
      type: 'string',
      description: 'Default: one that no other client has. Nothing waits under it at the broker.',
    },
    qos: {
      ...publishedQos,
      default: 1,
      description: '1: done when the broker has acknowledged (PUBACK). 0: done when it is written to the connection.',
    },
    retain: { type: 'boolean', default: false, description: 'The broker keeps it as the last one of its topic.' },
    replyTopic: {
      type: 'string',
      description:
        "Where answers to `call` come, a topic that is this endpoint's alone. Default: `dowel/replies/` and the client id. MQTT 5.",
      examples: ['gateway/replies/1'],
    },
    inFlight: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      default: 100,
      description:
        'How many messages may be on the way unacknowledged; further calls wait for their turn. Never more than the broker takes.',
    },
  },
} as const satisfies Schema;

export const callSchema = {
  type: 'object',
  description: 'How one message is published.',
  required: ['topic'],
  properties: {
    topic: {
      type: 'string',
      template: 'topic',
      description:
        'The topic. Each hole is one level, or a part of one: text with `/`, `+` or `#` in it is an error; `$segments(x)` lets `/` separate levels.',
      examples: ['commands/${{ deviceId }}/set'],
    },
    qos: { ...publishedQos, description: 'Instead of the one of the endpoint.' },
    retain: { type: 'boolean', description: 'Instead of the one of the endpoint.' },
    messageExpiry: {
      type: 'string',
      format: 'duration',
      minimum: 1000,
      description: 'The broker throws it away when nobody took it for this long. MQTT 5.',
    },
    responseTopic: {
      type: 'string',
      template: 'topic',
      description: 'Where the receiver is asked to answer. A `call` has one of its own. MQTT 5.',
    },
    correlationData: {
      type: 'string',
      template: true,
      description: 'What an answer must carry to be known as one. A `call` has its own. MQTT 5.',
    },
  },
} as const satisfies Schema;

export type SourceOptions = Infer<typeof sourceSchema>;
export type EndpointOptions = Infer<typeof endpointSchema>;
export type CallOptions = Infer<typeof callSchema>;

export const definition = {
  name: 'mqtt',
  summary: 'Subscribes to topics of an MQTT broker and publishes to them; MQTT 5 and 3.1.1.',
  source: sourceSchema,
  endpoint: endpointSchema,
  call: callSchema,
  replies: true,
  settles: true,
  countsDeliveries: true,
  events: {
    prefix: '',
    without: (options) =>
      (options as Partial<EndpointOptions>).version === 5 ? undefined : 'MQTT 3.1.1 has no user properties',
  },
  claims,
  check,
} as const satisfies ConnectorDefinition;
