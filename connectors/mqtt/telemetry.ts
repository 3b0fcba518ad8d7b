import type { Telemetry } from '#sdk';
import type { EndpointOptions, SourceOptions } from './definition.ts';

export const telemetry: Telemetry = {
  messaging: {
    system: 'mqtt',
    broker: ({ url }: SourceOptions | EndpointOptions) => (typeof url === 'string' ? url : url[0]),
    came: ({ topic, filter, qos }) => ({
      name: topic,
      shortly: filter,
      attributes: { 'messaging.destination.template': filter, 'messaging.mqtt.qos': qos },
    }),
    went: (operation) => ({ name: operation['topic'], shortly: '' }),
  },
};
