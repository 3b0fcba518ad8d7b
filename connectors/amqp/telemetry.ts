/** Spans of RabbitMQ (https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/). */
import type { Telemetry } from '#sdk';
import type { AmqpEndpointOptions, AmqpSourceOptions } from './definition.ts';

/** `exchange:key:queue`, each where there is one, and none twice. */
const destination = (...parts: readonly unknown[]): string =>
  [...new Set(parts.filter((part) => typeof part === 'string' && part !== ''))].join(':');

export const telemetry: Telemetry = {
  messaging: {
    system: 'rabbitmq',
    broker: ({ url }: AmqpSourceOptions | AmqpEndpointOptions) => (typeof url === 'string' ? url : url[0]),
    came: ({ exchange, routingKey, messageId, correlationId }, { queue }: AmqpSourceOptions) => ({
      name: destination(exchange, routingKey, queue),
      shortly: queue,
      attributes: {
        'messaging.rabbitmq.destination.routing_key': routingKey,
        'messaging.message.id': messageId,
        'messaging.message.conversation_id': correlationId,
      },
    }),
    went(operation, { exchange, routingKey: usual }: AmqpEndpointOptions) {
      const routingKey = operation['routingKey'] ?? usual;
      return {
        name: destination(exchange?.name, routingKey),
        shortly: exchange?.name ?? usual ?? '',
        attributes: {
          'messaging.rabbitmq.destination.routing_key': routingKey,
          'messaging.message.id': operation['messageId'],
        },
      };
    },
  },
};
