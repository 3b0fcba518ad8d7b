import type { ConsumeMessage } from 'amqplib';
import { type Exchange, failure } from '#sdk';
import type { Outbox } from './outbox.ts';
import { bufferOf, headersOf } from './properties.ts';
import { statusHeader } from './requests.ts';

/** Sends what a flow ended with to whoever asked; resolves when the broker has it. Nobody asked, or nothing was said: nothing is sent. */
export async function answer(request: ConsumeMessage, exchange: Exchange | undefined, outbox: Outbox): Promise<void> {
  const { replyTo, correlationId } = request.properties as {
    readonly replyTo?: unknown;
    readonly correlationId?: unknown;
  };
  if (!exchange || typeof replyTo !== 'string' || replyTo === '') return;
  const { services, body, reply } = exchange;
  const own = reply?.headers ?? exchange.ownHeaders;
  const { 'content-type': written } = own;
  const contentType = typeof written === 'string' ? written : body.wireType(services.codec);
  const content = bufferOf(await exchange.bytes());
  if (replyTo.length > 255) throw failure('bad-request', { detail: '`replyTo` is too long', sent: false });
  await outbox.publish({
    routingKey: replyTo,
    content,
    // Who asked may have gone: then nobody misses the answer.
    mandatory: false,
    properties: {
      messageId: services.random.uuid(),
      deliveryMode: 1,
      timestamp: Math.floor(services.clock.now() / 1000),
      headers: { ...headersOf(own, undefined), [statusHeader]: reply?.status ?? 200 },
      ...(contentType !== undefined && content.length > 0 ? { contentType } : {}),
      ...(typeof correlationId === 'string' ? { correlationId } : {}),
    },
  });
}
