import { type Endpoint, type EndpointContext, type Exchange, failure } from '#sdk';
import type { AmqpEndpointOptions } from './definition.ts';
import { type Operation, outgoingOf, type Template } from './properties.ts';
import { Publisher, type Publishing } from './publisher.ts';
import { Requests } from './requests.ts';
import { connectionFor } from './shared.ts';
import { declareExchange } from './topology.ts';
import type { BrokerTrouble } from './trouble.ts';

/** Publishes to one exchange; `call` waits for an answer. */
export async function openEndpoint(options: AmqpEndpointOptions, context: EndpointContext): Promise<Endpoint> {
  const { exchange } = options;
  const { clock, random, log } = context;
  const world = { clock, random, log };
  const connection = connectionFor('publishing', options, context);
  const publishing: Publishing = {
    name: context.name,
    what: `The endpoint \`${context.name}\``,
    exchange: exchange?.name ?? '',
    maxUnconfirmed: options.maxUnconfirmed,
    ...(exchange
      ? { prepare: (channel) => declareExchange(channel, exchange), explain: explained(exchange.name) }
      : {}),
  };
  const template: Template = {
    // The default exchange has nobody to give a message without one to.
    routingKey: options.routingKey ?? (exchange ? '' : undefined),
    appId: context.integration.name,
  };
  const publisher = new Publisher(connection.value, publishing, world);
  let requests: Requests | undefined;
  let closed: Promise<void> | undefined;

  const asking = (): Requests => {
    requests ??= new Requests(connection.value, publishing, world);
    return requests;
  };

  const send = async (message: Exchange): Promise<Exchange | undefined> => {
    const { answered } = (message.operation ?? {}) as Operation;
    const bytes = await message.bytes();
    message.life.check();
    if (closed) throw failure('stopping');
    if (answered) return asking().ask(message, bytes, template);
    await publisher.publish(outgoingOf(message, bytes, template), message.life);
    return undefined;
  };

  const close = async (): Promise<void> => {
    await Promise.all([publisher.close(), requests?.close()]);
    await connection.release();
  };

  try {
    await publisher.start();
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return {
    handle: send,
    get ready() {
      return publisher.ready;
    },
    async close() {
      closed ??= close();
      await closed;
    },
  };
}

const explained =
  (exchange: string) =>
  (trouble: BrokerTrouble): BrokerTrouble => {
    if (trouble.code !== 404) return trouble;
    const detail = `there is no exchange \`${exchange}\`: make it, or say its \`type\` and it is made`;
    return { ...trouble, detail };
  };
