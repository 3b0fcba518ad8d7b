import type { Endpoint, EndpointContext, Exchange } from '#sdk';
import type { EndpointOptions } from './definition.ts';
import { Outbox } from './outbox.ts';
import { type Defaults, operationOf, publicationOf } from './outgoing.ts';
import { Replies } from './replies.ts';
import { keyOf, settingsOf } from './settings.ts';

/** Publishes; done when the broker has the message. `call` asks for an answer too, and waits for it. */
export async function openEndpoint(options: EndpointOptions, context: EndpointContext): Promise<Endpoint> {
  const { clock, random, log, name: endpoint } = context;
  const { qos, retain, ...connecting } = options;
  const defaults: Defaults = { qos: qos === 0 ? 0 : 1, retain, version: options.version === '3.1.1' ? '3.1.1' : 5 };
  const shared = context.share(`mqtt:out:${keyOf(connecting)}`, () => {
    const clientId = options.clientId ?? `dowel${random.uuid().replaceAll('-', '').slice(0, 16)}`;
    const session = { clientId, clean: true, sessionExpiry: 0, receiveMaximum: undefined };
    const outbox = new Outbox(settingsOf(options, session), options.inFlight, {
      clock,
      random,
      log,
      facts: { endpoint },
    });
    return new Replies(outbox, options.replyTopic ?? `dowel/replies/${clientId}`, random);
  });
  const { value: replies } = shared;
  const { outbox } = replies;
  try {
    await outbox.open();
  } catch (thrown) {
    await shared.release();
    throw thrown;
  }
  const send = (exchange: Exchange, bytes: Uint8Array | string): Promise<Exchange | undefined> => {
    const publication = publicationOf(exchange, bytes, defaults);
    if (operationOf(exchange).answered) return replies.ask(publication, endpoint, exchange);
    return outbox.publish(publication, endpoint, exchange.life);
  };
  return {
    get ready() {
      return outbox.ready;
    },
    get trouble() {
      return outbox.trouble;
    },
    // Not an async function: one that returns a promise makes its caller wait three turns more.
    handle(exchange) {
      try {
        exchange.life.check();
        const bytes = exchange.bytes();
        return bytes instanceof Promise ? bytes.then((ready) => send(exchange, ready)) : send(exchange, bytes);
      } catch (thrown) {
        return Promise.reject(thrown);
      }
    },
    close: () => shared.release(),
  };
}
