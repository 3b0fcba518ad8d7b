import type { ConnectorDefinition, Infer, Schema } from '#sdk';

const name = {
  type: 'string',
  format: 'name',
  description: 'Sources and endpoints with the same name meet in the same channel.',
  examples: ['billing', 'audit'],
} as const satisfies Schema;

export const source = {
  type: 'object',
  description: 'Takes the messages that flows of this process send to the channel, in order.',
  properties: {
    name,
    durable: {
      type: 'boolean',
      default: false,
      description:
        'Messages wait in the store (guaranteed delivery): a `send` is done when its message is on disk, and the flow has it at least once, whatever happens to the process.',
    },
    capacity: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000_000,
      description:
        'How many messages may wait: 1000 in memory, 100000 in the store where nothing is said. One more is rejected (`channel-full`), at once.',
      examples: [500],
    },
  },
  required: ['name'],
} as const satisfies Schema;

export const endpoint = {
  type: 'object',
  description: 'Hands messages to the flow that reads the channel; done when the message is in it.',
  properties: { name },
  required: ['name'],
} as const satisfies Schema;

export type ChannelSourceOptions = Infer<typeof source>;
export type ChannelEndpointOptions = Infer<typeof endpoint>;

const isDurable = (options: unknown): boolean => (options as Partial<ChannelSourceOptions>).durable === true;

export const definition: ConnectorDefinition = {
  name: 'channel',
  summary: 'Connects flows of one process by a named, bounded queue, in memory or in the store.',
  source,
  endpoint,
  events: { prefix: 'ce-', percentEncoded: true },
  settles: isDurable,
  unsettled: 'a channel in memory forgets what it has handed over. Write `durable: true` under `channel`',
  queues: isDurable,
  // What waits in memory would be lost.
  staysOpen: (options) => !isDurable(options),
  meetsAt: (options) => (options as ChannelEndpointOptions).name,
};
