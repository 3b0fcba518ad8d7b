import type { Description, MessageChannel } from '#sdk';
import { brokerList } from './address.ts';
import type { EndpointOptions, SourceOptions } from './definition.ts';

const at = ({ brokers, tls }: SourceOptions | EndpointOptions): Pick<MessageChannel, 'protocol' | 'urls'> => ({
  protocol: tls ? 'kafka-secure' : 'kafka',
  urls: brokerList(brokers),
});

export const description: Description = {
  receives: (options: SourceOptions) =>
    options.topics.map((topic) => ({
      ...at(options),
      address: topic,
      operationBindings: {
        kafka: { groupId: { type: 'string', enum: [options.group] }, bindingVersion: '0.5.0' },
      },
    })),
  sends: (endpoint: EndpointOptions, { topic }) => [{ ...at(endpoint), address: topic ?? endpoint.topic }],
};
