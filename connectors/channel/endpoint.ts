import type { Endpoint, EndpointContext } from '#sdk';
import { Channel } from './channel.ts';
import type { ChannelEndpointOptions } from './definition.ts';

export async function openEndpoint(options: ChannelEndpointOptions, context: EndpointContext): Promise<Endpoint> {
  const shared = context.share(`channel:${options.name}`, () => new Channel(options.name));
  return {
    async handle(exchange) {
      const { body } = exchange;
      // A stream ends with the message that brought it; what waits in a channel must not depend on that.
      if (body.isStream) await exchange.bytes();
      exchange.life.check();
      shared.value.put({
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
    close: () => shared.release(),
  };
}
