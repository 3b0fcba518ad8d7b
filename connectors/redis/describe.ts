import type { Description, MessageChannel } from '#sdk';
import type { RedisEndpointOptions, RedisSourceOptions } from './definition.ts';

const at = ({ url }: RedisSourceOptions | RedisEndpointOptions): Pick<MessageChannel, 'protocol' | 'urls'> => ({
  protocol: url.startsWith('rediss:') ? 'rediss' : 'redis',
  urls: [url],
});

/** `*`, `?` and `[ab]` as parameters. */
function withParameters(pattern: string): string {
  let parts = 0;
  return pattern.replaceAll(/\*+|\?|\[[^\]]*\]/g, () => `{part${++parts}}`);
}

export const description: Description = {
  receives: (options: RedisSourceOptions) =>
    [
      ...(options.stream === undefined ? [] : [options.stream]),
      ...(options.channels ?? []),
      ...(options.patterns ?? []).map(withParameters),
    ].map((address) => ({ ...at(options), address })),
  sends: (endpoint: RedisEndpointOptions, { stream, channel }) => [
    { ...at(endpoint), address: stream ?? channel ?? endpoint.stream ?? endpoint.channel },
  ],
};
