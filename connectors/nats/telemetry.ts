import type { Telemetry } from '#sdk';
import type { NatsEndpointOptions, NatsSourceOptions } from './definition.ts';

export const telemetry: Telemetry = {
  messaging: {
    system: 'nats',
    broker: ({ url, urls }: NatsSourceOptions | NatsEndpointOptions) => url ?? urls?.[0],
    came: ({ subject, stream, consumer }, { subjects }: NatsSourceOptions) => ({
      name: subject,
      shortly: stream ?? subjects?.join(','),
      attributes: {
        'messaging.consumer.group.name': consumer,
        'messaging.nats.stream': stream,
      },
    }),
    went: (operation, { subject, stream }: NatsEndpointOptions) => ({
      name: operation['subject'] ?? subject,
      shortly: subject ?? stream ?? '',
      attributes: { 'messaging.message.id': operation['messageId'] },
    }),
  },
};
