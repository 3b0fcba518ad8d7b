/** Spans of what goes through brokers and queues (https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/). */
import type { Attributes } from '../../core/span.ts';
import type { Destination, EndpointTelemetry, MessagingTelemetry, SourceTelemetry } from '../../sdk.ts';

/** `flow`: that takes the messages. `answers`: their senders wait. */
export function messagingSource(
  words: MessagingTelemetry,
  options: unknown,
  flow: string,
  answers: boolean,
): SourceTelemetry {
  const fixed = { 'messaging.system': words.system, ...brokerOf(words, options) };
  return {
    kind: answers ? 'server' : 'consumer',
    began({ origin }) {
      const { attributes, ...destination } = words.came(origin.source ?? {}, options as never);
      return {
        name: named('process', destination, flow),
        attributes: {
          ...fixed,
          'messaging.operation.name': 'process',
          'messaging.operation.type': 'process',
          'messaging.destination.name': destination.name,
          ...attributes,
        },
      };
    },
  };
}

/** `called`: how the file calls the endpoint. */
export function messagingEndpoint(words: MessagingTelemetry, options: unknown, called: string): EndpointTelemetry {
  const fixed = { 'messaging.system': words.system, ...brokerOf(words, options) };
  return {
    began(exchange) {
      const operation = (exchange.operation ?? {}) as Readonly<Record<string, unknown>>;
      const asks = operation['answered'] === true;
      const { attributes, ...destination } = words.went?.(operation, options as never) ?? { name: undefined };
      return {
        // Who asks waits for the answer; a message that is only sent is created here.
        kind: asks ? 'client' : 'producer',
        name: named(asks ? 'request' : 'send', destination, called),
        attributes: {
          ...fixed,
          'messaging.operation.name': asks ? 'request' : 'send',
          'messaging.operation.type': 'send',
          'messaging.destination.name': destination.name,
          ...attributes,
        },
      };
    },
  };
}

/** `otherwise`: where the destination has no name that is one of few. */
const named = (operation: string, { name, shortly = name }: Destination, otherwise: string): string =>
  `${operation} ${typeof shortly === 'string' && shortly !== '' ? shortly : otherwise}`;

function brokerOf({ broker }: MessagingTelemetry, options: unknown): Attributes {
  const text = broker?.(options as never);
  if (text === undefined) return {};
  const url = URL.parse(text.includes('://') ? text : `tcp://${text}`);
  if (!url) return {};
  return {
    'server.address': url.hostname.replace(/^\[|\]$/g, ''),
    'server.port': url.port === '' ? undefined : Number(url.port),
  };
}
