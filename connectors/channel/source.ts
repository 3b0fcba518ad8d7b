import type { Source, SourceContext } from '#sdk';
import { Channel } from './channel.ts';
import type { ChannelSourceOptions } from './definition.ts';

/**
 * After `stop` the flow goes on with what is in the channel and with what flows in flight still send to it, as long as
 * the time for finishing lasts. Whoever opens the same flow again (reload) takes over what waits.
 */
export async function openSource(options: ChannelSourceOptions, context: SourceContext): Promise<Source> {
  const shared = context.share(`channel:${options.name}`, () => new Channel(options.name));
  const seat = shared.value.attach({
    flow: context.name,
    concurrency: context.concurrency ?? 1,
    capacity: options.capacity,
    deliver: context.deliver,
    log: context.log,
    background: context.services.background,
  });
  return {
    async stop() {
      seat.stop();
    },
    async close() {
      seat.close();
      await shared.release();
    },
  };
}
