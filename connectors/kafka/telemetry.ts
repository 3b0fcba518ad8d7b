/** Spans of Kafka (https://opentelemetry.io/docs/specs/semconv/messaging/kafka/). */
import type { Telemetry } from '#sdk';
import type { EndpointOptions, SourceOptions } from './definition.ts';

export const telemetry: Telemetry = {
  messaging: {
    system: 'kafka',
    broker: ({ brokers }: SourceOptions | EndpointOptions) =>
      typeof brokers === 'string' ? brokers.split(',', 1)[0]?.trim() : brokers[0],
    came: ({ topic, partition, offset, group }) => ({
      name: topic,
      attributes: {
        'messaging.destination.partition.id': partition === undefined ? undefined : String(partition),
        'messaging.kafka.offset': offset === undefined ? undefined : Number(offset),
        'messaging.consumer.group.name': group,
      },
    }),
    went: (operation, { topic }: EndpointOptions) => ({ name: operation['topic'] ?? topic }),
  },
};
