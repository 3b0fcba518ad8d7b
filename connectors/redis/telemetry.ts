import type { Telemetry } from '#sdk';
import type { RedisEndpointOptions, RedisSourceOptions } from './definition.ts';

export const telemetry: Telemetry = {
  messaging: {
    system: 'redis',
    broker: ({ url }: RedisSourceOptions | RedisEndpointOptions) => url,
    came: ({ stream, channel, pattern, group, id }) => ({
      name: stream ?? channel,
      shortly: stream ?? pattern ?? channel,
      attributes: { 'messaging.consumer.group.name': group, 'messaging.message.id': id },
    }),
    went(operation, { stream, channel }: RedisEndpointOptions) {
      const usual = stream ?? channel;
      const own = operation['stream'] ?? operation['channel'];
      return { name: own ?? usual, shortly: usual ?? '' };
    },
  },
};
