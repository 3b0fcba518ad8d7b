import type { Description, MessageChannel } from '#sdk';
import type { EndpointOptions, SourceOptions } from './definition.ts';

const at = ({ url }: SourceOptions | EndpointOptions): Pick<MessageChannel, 'protocol' | 'urls'> => {
  const urls = [url].flat();
  return { protocol: urls[0]?.startsWith('mqtts:') ? 'secure-mqtt' : 'mqtt', urls };
};

/** `+` and `#` as parameters. */
function withParameters(filter: string): string {
  let levels = 0;
  const named = filter.split('/').map((level) => {
    if (level === '+') return `{level${++levels}}`;
    return level === '#' ? '{rest}' : level;
  });
  return named.join('/');
}

const qosOf = (qos: unknown): Pick<MessageChannel, 'operationBindings'> =>
  typeof qos === 'number' ? { operationBindings: { mqtt: { qos, bindingVersion: '0.2.0' } } } : {};

export const description: Description = {
  receives: (options: SourceOptions) =>
    options.topics.map((topic) => ({ ...at(options), address: withParameters(topic), ...qosOf(options.qos) })),
  sends: (endpoint: EndpointOptions, { topic, qos }) => [
    { ...at(endpoint), address: topic, ...qosOf(qos ?? endpoint.qos) },
  ],
};
