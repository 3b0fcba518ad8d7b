import type { Endpoint, EndpointContext, Incoming } from '#sdk';
import { Channel, queueOf } from './channel.ts';
import type { ChannelEndpointOptions, ChannelSourceOptions } from './definition.ts';

export async function openEndpoint(options: ChannelEndpointOptions, context: EndpointContext): Promise<Endpoint> {
  const { put, close } = (context.meets as ChannelSourceOptions | undefined)?.durable
    ? storing(options, context)
    : inMemory(options, context);
  return {
    async handle(exchange) {
      const { body, life } = exchange;
      // A stream ends with the message that brought it; what waits in a channel must not depend on that.
      if (body.isStream) await exchange.bytes();
      life.check();
      await put({
        body,
        headers: exchange.ownHeaders,
        origin: {
          source: { channel: options.name, sender: { flow: exchange.flow, exchange: exchange.id } },
          receivedAt: context.clock.now(),
          attempt: 1,
        },
      });
      return undefined;
    },
    close,
  };
}

interface Way {
  readonly put: (message: Incoming) => unknown;
  readonly close: () => Promise<void>;
}

function inMemory({ name }: ChannelEndpointOptions, context: EndpointContext): Way {
  const shared = context.share(`channel:${name}`, () => new Channel(name));
  return { put: (message) => shared.value.put(message), close: () => shared.release() };
}

/** Once it began, whether the message is in the store is waited for: nobody could say else what became of it. */
function storing({ name }: ChannelEndpointOptions, context: EndpointContext): Way {
  const queue = context.queue(queueOf(name));
  return { put: (message) => queue.put(message), close: async () => {} };
}
