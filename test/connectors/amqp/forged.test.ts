/** What senders write into headers that are ours. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { failure } from '#sdk';
import { Outbox } from '../../../connectors/amqp/outbox.ts';
import { Postponing } from '../../../connectors/amqp/postponing.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { withPackage } from '../../support/debian-server.ts';
import { plainContext } from '../../support/plain-context.ts';
import { RabbitmqServer, rabbitmqProgram } from '../../support/rabbitmq-server.ts';
import { opened } from './support/opening.ts';
import { sourceOptions } from './support/options.ts';
import { Outside } from './support/outside.ts';

const postponed = (ms: number, attempt: number): Error => failure('postponed', { ms, attempt });

/** All that a message bears that has waited in a retry queue of `queue`. */
const forged = (queue: string) => ({
  'x-dowel-attempt': 1_000,
  'x-dowel-exchange': 'payments',
  'x-dowel-routing-key': 'payment.approved',
  'x-dowel-message-id': 'another',
  'x-dowel-expiration': '1',
  'x-dowel-cc': ['elsewhere'],
  'x-death': [{ queue: `dowel.retry.${queue}.100`, reason: 'expired', exchange: '', count: 1 }],
  kept: 'yes',
});

withPackage('rabbitmq-server', rabbitmqProgram, 'amqp headers that a sender forged', () => {
  let server: RabbitmqServer;
  let url: string;
  let stranger: string;
  before(async () => {
    server = await RabbitmqServer.shared();
    url = server.url;
    await server.addUser('stranger', 'secret', ['.*', '.*', '.*']);
    stranger = url.replace('guest:guest', 'stranger:secret');
  });
  after(() => server[Symbol.asyncDispose]());

  test('count no attempt and change nothing that the flow sees, before and after the message has waited', async (t) => {
    const { flow, reached } = await opened(t, { url, queue: 'trusting' });
    const outside = await Outside.at(t, stranger);
    await outside.publish('', 'trusting', 'x', { headers: forged('trusting'), messageId: 'm1' });
    await reached(1);
    flow.at(0).reject(postponed(100, 2));
    await reached(2);
    flow.at(1).reject(postponed(100, 3));
    await reached(3);
    for (const [index, attempt] of [1, 2, 3].entries()) {
      const { origin, headers } = flow.at(index).message;
      assert.equal(origin.attempt, attempt);
      assert.deepEqual(
        { ...origin.source, consumerTag: '' },
        {
          queue: 'trusting',
          exchange: '',
          routingKey: 'trusting',
          redelivered: false,
          consumerTag: '',
          messageId: 'm1',
        },
      );
      assert.deepEqual({ ...headers }, { kept: 'yes' });
    }
  });

  test('are not believed of a message that a stranger put into a retry queue', async (t) => {
    const { flow, reached } = await opened(t, { url, queue: 'waiting' });
    const outside = await Outside.at(t, stranger);
    await outside.publish('', 'waiting', '1');
    await reached(1);
    flow.at(0).reject(postponed(100, 2));
    await reached(2);
    await outside.publish('', 'dowel.retry.waiting.100', '2', { headers: forged('waiting') });
    await reached(3);
    assert.equal(flow.at(1).message.origin.attempt, 2);
    const { attempt, source } = flow.at(2).message.origin;
    assert.equal(attempt, 1);
    assert.equal(source?.['routingKey'], 'waiting');
  });

  test('where the broker knows us by another name than we think, a message waits here', async (t) => {
    const { flow, reached } = await opened(t, { url, queue: 'unknown' });
    const outside = await Outside.at(t, url);
    await outside.publish('', 'unknown', 'x');
    await reached(1);
    const options = sourceOptions({ url, queue: 'unknown' });
    const context = plainContext({ name: 'main', clock: systemClock, deliver: flow.deliver });
    const outbox = new Outbox(options, context);
    t.after(() => outbox.close());
    const postponing = new Postponing(options, { queue: 'unknown', user: 'alias', counts: true }, outbox, context);
    await outside.queue('copy');
    await outside.publish('', 'copy', 'x');
    const message = { ...(await outside.next('copy')), fields: { exchange: '', routingKey: 'unknown' } } as never;
    assert.equal(await postponing.postpone(message, 100, 2), false);
    assert.equal(await postponing.postpone(message, 100, 2), false);
    const told = context.log.lines.filter(({ message: text }) => /stay here, unacknowledged/.test(text));
    assert.equal(told.length, 1);
    assert.match(String(told[0]?.fields['detail']), /user_id/);
  });
});
