import type { ConnectorDefinition, Infer, Schema } from '#sdk';
import { check } from './check.ts';
import { connectionOptions } from './connection-options.ts';

const key = {
  type: 'string',
  pattern: '^[^\\s]{1,512}$',
  patternText: 'a name without blanks',
} as const satisfies Schema;
const names = { type: 'array', items: key, minItems: 1 } as const satisfies Schema;
const bodyField = {
  ...key,
  default: 'body',
  description: 'The field of an entry that holds the body; the others are headers.',
} as const satisfies Schema;

export const source = {
  type: 'object',
  required: ['url'],
  oneOf: ['stream', 'channels', 'patterns'],
  description:
    'Takes the entries of a stream as a member of a group, each acknowledged when its flow is done with it; or what is published to channels while we listen.',
  properties: {
    ...connectionOptions,
    stream: { ...key, description: 'The key of the stream: at least once.', examples: ['orders'] },
    group: {
      ...key,
      description:
        'The group, which knows what was acknowledged; its members share the entries. Made where it is missing. Absent: the names of the integration and the flow.',
      examples: ['billing'],
    },
    consumer: {
      ...key,
      description:
        'Name of this member, the same after a restart: then it goes on at once with what it had. No two processes may have the same. Absent: a name that no other process has.',
      examples: ['${HOSTNAME}'],
    },
    start: {
      type: 'string',
      pattern: '^(all|new|[0-9]+(-[0-9]+)?)$',
      patternText: '`all`, `new` or the id of an entry',
      default: 'all',
      description: 'Where a group begins that is made now: with all entries, with new ones, or behind an id.',
      examples: ['new', '1526919030474-55'],
    },
    prefetch: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      description:
        'How many entries this process holds unacknowledged, those that wait for another attempt included. Absent: 20, or `concurrency` of the flow if that is more.',
      examples: [100],
    },
    claimAfter: {
      type: 'string',
      format: 'duration',
      minimum: 500,
      default: '30s',
      description:
        'After how long without a sign of its member an entry goes to another one. While it is worked on the server is told, however long that takes.',
    },
    bodyField: {
      ...bodyField,
      description: `${bodyField.description} An entry without it: all its fields are the body.`,
    },
    channels: { ...names, description: 'Instead of `stream`: channels, at most once.', examples: [['alarms']] },
    patterns: {
      ...names,
      description: 'Channels by pattern, at most once: `*` is any text, `?` one character, `[ab]` one of these.',
      examples: [['sensors:*']],
    },
    capacity: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      default: 1000,
      description: 'Of channels: how many messages may wait in memory. More are dropped, counted and logged.',
    },
  },
} as const satisfies Schema;

export const endpoint = {
  type: 'object',
  required: ['url'],
  description: 'Adds entries to streams, or publishes to channels; done when the server has it.',
  properties: {
    ...connectionOptions,
    stream: {
      ...key,
      description: 'For messages whose step gives neither `stream` nor `channel`.',
      examples: ['orders'],
    },
    channel: { ...key, description: 'The same, as a channel.', examples: ['alarms'] },
    maxLength: {
      type: 'integer',
      minimum: 1,
      description:
        'About how many entries a stream keeps: the oldest go first, done or not. Absent: all, until somebody trims it.',
      examples: [1_000_000],
    },
    bodyField,
  },
} as const satisfies Schema;

const text = { type: 'string', template: 'key' } as const satisfies Schema;

export const call = {
  type: 'object',
  description: 'Where one message goes.',
  properties: {
    stream: {
      ...text,
      description:
        'The stream that gets it as an entry. Each hole gives text within one part of the name: `:` and blanks in it are refused; `$segments(x)` keeps `:`.',
      examples: ['orders', 'orders:${{ tenant }}'],
    },
    channel: {
      ...text,
      description: 'The channel that it is published to; its holes as those of `stream`.',
      examples: ['alarms'],
    },
    minReceivers: {
      type: 'integer',
      minimum: 0,
      default: 0,
      description: 'Of a channel: so many must have got it, else the error is `unroutable`.',
      examples: [1],
    },
  },
} as const satisfies Schema;

export type RedisSourceOptions = Infer<typeof source>;
export type RedisEndpointOptions = Infer<typeof endpoint>;

export const definition: ConnectorDefinition = {
  name: 'redis',
  summary: 'Reads streams of Redis as a member of a group, listens to channels, adds entries and publishes.',
  source,
  endpoint,
  call,
  countsDeliveries: true,
  settles: (options) => (options as Partial<RedisSourceOptions>).stream !== undefined,
  check,
  lacks: (endpoint, { stream, channel }) => {
    const usual = endpoint as Partial<RedisEndpointOptions>;
    return (stream ?? channel ?? usual.stream ?? usual.channel) === undefined ? ['stream', 'channel'] : [];
  },
};
