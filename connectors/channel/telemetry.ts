import type { Telemetry } from '#sdk';
import type { ChannelEndpointOptions, ChannelSourceOptions } from './definition.ts';

export const telemetry: Telemetry = {
  messaging: {
    system: 'dowel',
    came: (_, { name }: ChannelSourceOptions) => ({ name }),
    went: (_, { name }: ChannelEndpointOptions) => ({ name }),
  },
};
