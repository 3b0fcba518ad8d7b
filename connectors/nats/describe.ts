import type { Description, MessageChannel } from '#sdk';
import type { NatsEndpointOptions, NatsSourceOptions } from './definition.ts';

const at = ({
  url,
  urls,
  tls,
}: NatsSourceOptions | NatsEndpointOptions): Pick<MessageChannel, 'protocol' | 'urls'> => ({
  protocol: tls ? 'nats+tls' : 'nats',
  urls: urls ?? (url === undefined ? [] : [url]),
});

/** `*` and `>` as parameters. */
function withParameters(subject: string): string {
  let tokens = 0;
  const named = subject.split('.').map((token) => {
    if (token === '*') return `{token${++tokens}}`;
    return token === '>' ? '{rest}' : token;
  });
  return named.join('.');
}

/** Of a stream without a filter nobody here knows the subjects. */
const subjectsOf = ({ stream, subjects, filter }: NatsSourceOptions): readonly string[] => {
  const named = subjects ?? (filter === undefined ? [] : [filter].flat());
  return named.length > 0 ? named.map(withParameters) : stream === undefined ? [] : [stream];
};

export const description: Description = {
  receives: (options: NatsSourceOptions) =>
    subjectsOf(options).map((address) => ({
      ...at(options),
      address,
      ...(options.queue === undefined
        ? {}
        : { operationBindings: { nats: { queue: options.queue, bindingVersion: '0.1.0' } } }),
    })),
  sends: (endpoint: NatsEndpointOptions, { subject }) => [{ ...at(endpoint), address: subject ?? endpoint.subject }],
};
