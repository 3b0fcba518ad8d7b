import type { Channel } from 'amqplib';
import type { AmqpSourceOptions, ExchangeOptions } from './definition.ts';

/** Makes the queue and its bindings what the file says, or checks that the queue is there. */
export async function declareQueue(channel: Channel, { queue, declare, bind }: AmqpSourceOptions): Promise<void> {
  if (declare?.passive) await channel.checkQueue(queue);
  else {
    const { type = 'quorum', durable = true, exclusive = false, autoDelete = false } = declare ?? {};
    await channel.assertQueue(queue, {
      durable,
      exclusive,
      autoDelete,
      arguments: { ...declare?.arguments, 'x-queue-type': type },
    });
  }
  for (const { exchange, type, routingKey, headers } of bind ?? []) {
    if (type !== undefined) await declareExchange(channel, { name: exchange, type, durable: true, autoDelete: false });
    await channel.bindQueue(queue, exchange, routingKey, headers);
  }
}

/** Makes the exchange; without a type it must be there. */
export async function declareExchange(channel: Channel, exchange: ExchangeOptions): Promise<void> {
  const { name, type, durable, autoDelete, arguments: more } = exchange;
  if (type === undefined) await channel.checkExchange(name);
  else await channel.assertExchange(name, type, { durable, autoDelete, ...(more ? { arguments: more } : {}) });
}
