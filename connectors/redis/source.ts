import type { Source, SourceContext } from '#sdk';
import type { RedisSourceOptions } from './definition.ts';

export async function openSource(options: RedisSourceOptions, context: SourceContext): Promise<Source> {
  const { stream } = options;
  if (stream === undefined) {
    const { openChannelSource } = await import('./channel-source.ts');
    return openChannelSource(options, context);
  }
  const { openStreamSource } = await import('./stream-source.ts');
  return openStreamSource({ ...options, stream }, context);
}
