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

  const send = (message: Exchange, bytes: Uint8Array | string): Promise<Exchange | undefined> => {
    message.life.check();
    if (closed) throw failure('stopping');
    const { answered } = (message.operation ?? {}) as Operation;
    if (answered) return asking().ask(message, bytes, template);
    return publisher.publish(outgoingOf(message, bytes, template), message.life);
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
    // Not an async function: one that returns a promise makes its caller wait three turns more.
    handle(message) {
      try {
        const bytes = message.bytes();
        return bytes instanceof Promise ? bytes.then((all) => send(message, all)) : send(message, bytes);
      } catch (thrown) {
        return Promise.reject(thrown);
      }
    },
    get ready() {
      return publisher.ready;
    },
    get trouble() {
      return publisher.trouble;
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
