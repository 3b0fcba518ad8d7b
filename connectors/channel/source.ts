import type { Source, SourceContext } from '#sdk';
import { Channel, queueOf } from './channel.ts';
import type { ChannelSourceOptions } from './definition.ts';

/** How many messages may wait. */
const inMemory = 1000;
const inStore = 100_000;

/** With lanes of its own a flow runs fewer than it gets, where many are for the same lane. */
const ahead = 20;

/** What waits at `stop` waits in the store for the next start. */
function readStored(options: ChannelSourceOptions, context: SourceContext): Source {
  const { name, deliver, inOrder, concurrency = 1 } = context;
  const seat = context.queue(queueOf(options.name)).read({
    flow: name,
    deliver,
    inOrder,
    concurrency: inOrder ? 1 : Math.max(ahead, concurrency),
    capacity: options.capacity ?? inStore,
  });
  return { stop: async () => seat.stop(), close: () => seat.close() };
}

/**
 * After `stop` the flow goes on with what is in the channel and with what flows in flight still send to it, as long as
 * the time for finishing lasts. Whoever opens the same flow again (reload) takes over what waits.
 */
export async function openSource(options: ChannelSourceOptions, context: SourceContext): Promise<Source> {
  if (options.durable) return readStored(options, context);
  const shared = context.share(`channel:${options.name}`, () => new Channel(options.name));
  const seat = shared.value.attach({
    flow: context.name,
    concurrency: context.concurrency ?? 1,
    capacity: options.capacity ?? inMemory,
    deliver: context.deliver,
    log: context.log,
    background: context.services.background,
    paused: context.paused === true,
  });
  const help = 'Messages that wait in a channel, or in the store.';
  const queue = queueOf(options.name);
  const forget = context.services.meter.gauge('dowel_queue_messages', help, { queue }, () => seat.own);
  return {
    get queued() {
      return seat.waiting;
    },
    pause: () => seat.pause(),
    resume: () => seat.resume(),
    async stop() {
      seat.stop();
    },
    async close() {
      seat.close();
      forget();
      await shared.release();
    },
  };
}
