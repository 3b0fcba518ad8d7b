/** `node amqp.ts URL IN OUT`: maps the orders of one queue and puts them into another, as fast as amqplib allows. */
import { type ConsumeMessage, connect } from 'amqplib';
import { mapped, order } from './order.ts';

const [url = '', from = '', to = ''] = process.argv.slice(2);

const consuming = await connect(url, { noDelay: true });
const publishing = await connect(url, { noDelay: true });
const source = await consuming.createChannel();
const sink = await publishing.createConfirmChannel();
await source.prefetch(100);

/** In the order in which they came; confirms come in another. */
const underWay: { readonly message: ConsumeMessage; done: boolean }[] = [];
let scheduled = false;

/** One frame for all that are done in a row. */
function acknowledge(): void {
  scheduled = false;
  let last: ConsumeMessage | undefined;
  while (underWay[0]?.done) last = underWay.shift()?.message;
  if (last) source.ack(last, true);
}

await source.consume(from, (message) => {
  if (!message) return;
  const one = { message, done: false };
  underWay.push(one);
  const options = { persistent: true, mandatory: true, contentType: 'application/json' };
  sink.publish('', to, Buffer.from(mapped(order(message.content))), options, (error) => {
    if (error) throw error;
    one.done = true;
    if (scheduled) return;
    scheduled = true;
    setImmediate(acknowledge);
  });
});
process.send?.({ ready: true });
process.on('disconnect', () => process.exit());
