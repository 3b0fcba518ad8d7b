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
    capacity: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      default: 1000,
      description: 'How many messages may wait in memory. One more is rejected (`channel-full`), at once.',
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

export const definition: ConnectorDefinition = {
  name: 'channel',
  summary: 'Connects flows of one process by a named, bounded queue in memory.',
  source,
  endpoint,
  meetsAt: (options) => (options as ChannelEndpointOptions).name,
};
