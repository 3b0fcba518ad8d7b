import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import type { LinkWorld } from '#sdk';
import { Body, type Exchange, type Failure, failure, httpFailure, noHeaders } from '#sdk';
import type { Connection } from './connection.ts';
import { headersOf } from './incoming.ts';
import { outgoingOf, type Template } from './properties.ts';
import { Publisher, type Publishing } from './publisher.ts';

/** Answers come to whoever asked on this channel, without a queue of their own. */
const directReply = 'amq.rabbitmq.reply-to';

interface Asked {
  readonly resolve: (answer: ConsumeMessage) => void;
  readonly reject: (error: Failure) => void;
}

/** Request-reply (EIP) over direct reply-to: questions go out on a channel of their own, and their answers come back on it. */
export class Requests {
  readonly #publisher: Publisher;
  readonly #name: string;
  readonly #asked = new Map<string, Asked>();

  constructor(connection: Connection, publishing: Publishing, world: LinkWorld) {
    this.#name = publishing.name;
    const prepare = async (channel: ConfirmChannel): Promise<void> => {
      await publishing.prepare?.(channel);
      channel.once('close', () => this.#lost());
      await channel.consume(directReply, (message) => message && this.#answered(message), { noAck: true });
    };
    const what = `${publishing.what}, for questions`;
    this.#publisher = new Publisher(connection, { ...publishing, what, prepare }, world);
    this.#publisher.begin();
  }

  /** The answer; rejects as publishing does, and with the reason of the life when none comes in time. */
  async ask(exchange: Exchange, bytes: Uint8Array | string, template: Template): Promise<Exchange> {
    const { life, services } = exchange;
    const correlationId = services.random.uuid();
    const { left } = life;
    const expiration = left === undefined ? undefined : Math.ceil(left);
    const question = outgoingOf(exchange, bytes, template, { correlationId, replyTo: directReply, expiration });
    let leave = (): void => {};
    const answer = new Promise<ConsumeMessage>((resolve, reject) => {
      this.#asked.set(correlationId, { resolve, reject });
      leave = life.onAbort(reject);
    });
    // Whichever fails first is what the caller hears.
    answer.catch(() => {});
    try {
      await this.#publisher.publish(question, life);
      return this.#asExchange(await answer, exchange);
    } finally {
      leave();
      this.#asked.delete(correlationId);
    }
  }

  close(): Promise<void> {
    return this.#publisher.close();
  }

  #answered(message: ConsumeMessage): void {
    this.#asked.get(String(message.properties.correlationId))?.resolve(message);
  }

  #lost(): void {
    const detail = 'the connection to the broker was lost before the answer came';
    for (const { reject } of this.#asked.values()) {
      reject(failure('connection', { endpoint: this.#name, detail, sent: true }));
    }
  }

  #asExchange({ content, properties }: ConsumeMessage, exchange: Exchange): Exchange {
    const table = properties.headers ?? {};
    const headers = headersOf(table, properties);
    const status = Number(table[statusHeader]);
    const known = Number.isInteger(status) && status >= 100 && status <= 599;
    const { expect } = (exchange.operation ?? {}) as { readonly expect?: readonly (string | number)[] };
    if (known && !isExpected(status, expect)) throw httpFailure(status, { endpoint: this.#name });
    const body = content.length === 0 ? Body.empty : Body.bytes(content, contentTypeOf(headers), this.#name);
    return exchange.with({
      body,
      headers,
      ownHeaders: noHeaders,
      response: { ...(known ? { status } : {}), headers, endpoint: this.#name },
    });
  }
}

/** What `respond` says over AMQP, where an answer has no status of its own. */
export const statusHeader = 'x-status';

const contentTypeOf = (headers: Exchange['headers']): string | undefined => {
  const type = headers['content-type'];
  return typeof type === 'string' ? type : undefined;
};

const isExpected = (status: number, expect: readonly (string | number)[] = ['2xx']): boolean =>
  expect.some((one) => (typeof one === 'number' ? one === status : one[0] === String(status)[0]));
