import type { Description, MessageChannel } from '#sdk';
import type { AmqpEndpointOptions, AmqpSourceOptions } from './definition.ts';

const bindingVersion = '0.3.0';

const at = ({ url }: AmqpSourceOptions | AmqpEndpointOptions): Pick<MessageChannel, 'protocol' | 'urls'> => {
  const urls = [url].flat();
  return { protocol: urls[0]?.startsWith('amqps:') ? 'amqps' : 'amqp', urls };
};

/** Types of exchanges that a binding of AsyncAPI can name; those of plugins it cannot. */
const known: readonly string[] = ['topic', 'direct', 'fanout', 'default', 'headers'];

function exchangeOf({ exchange }: AmqpEndpointOptions): Readonly<Record<string, unknown>> {
  if (!exchange) return { name: '', type: 'default' };
  const { name, type, durable, autoDelete } = exchange;
  return { name, durable, autoDelete, ...(type !== undefined && known.includes(type) ? { type } : {}) };
}

export const description: Description = {
  receives: (options: AmqpSourceOptions) => [
    {
      ...at(options),
      address: options.queue,
      channelBindings: { amqp: { is: 'queue', queue: { name: options.queue }, bindingVersion } },
    },
  ],
  sends: (endpoint: AmqpEndpointOptions, { routingKey }) => [
    {
      ...at(endpoint),
      address: routingKey ?? endpoint.routingKey ?? endpoint.exchange?.name,
      channelBindings: { amqp: { is: 'routingKey', exchange: exchangeOf(endpoint), bindingVersion } },
    },
  ],
};
