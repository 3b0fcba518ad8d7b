import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { failure, type Incoming } from '#sdk';
import { bucketOf } from '../../../connectors/amqp/postponing.ts';
import { withPackage } from '../../support/debian-server.ts';
import { eventually } from '../../support/eventually.ts';
import { RabbitmqServer, rabbitmqProgram } from '../../support/rabbitmq-server.ts';
import { opened } from './support/opening.ts';
import { Outside } from './support/outside.ts';

const postponed = (ms: number, attempt: number): Error => failure('postponed', { ms, attempt });

test('pauses that jitter made are rounded up to few', () => {
  assert.deepEqual([1, 100, 101, 999, 1_001, 9_999, 10_001, 59_000, 61_000, 3_600_000, 10 ** 12].map(bucketOf), [
    100,
    100,
    200,
    1_000,
    1_500,
    10_000,
    15_000,
    60_000,
    90_000,
    3_600_000,
    2 ** 31 - 1,
  ]);
  const queues = new Set(Array.from({ length: 60_000 }, (_, ms) => bucketOf(ms + 1)));
  assert.ok(queues.size < 40, `${queues.size} queues for pauses up to a minute`);
});

withPackage('rabbitmq-server', rabbitmqProgram, 'amqp messages that wait at the broker', () => {
  let server: RabbitmqServer;
  let url: string;
  before(async () => {
    server = await RabbitmqServer.shared();
    url = server.url;
    await server.addUser('reader-of-read', 'secret', ['^read$', '.*', '.*']);
  });
  after(() => server[Symbol.asyncDispose]());

  for (const type of ['quorum', 'classic'] as const) {
    test(`come again as they were, through a ${type} queue that vanishes`, async (t) => {
      const queue = `origin-${type}`;
      const copies = `copies-${type}`;
      const outside = await Outside.at(t, url);
      await outside.queue(queue, type);
      await outside.queue(copies);
      await outside.channel.assertExchange('origins', 'topic');
      await outside.channel.bindQueue(queue, 'origins', '#');
      await outside.channel.bindQueue(copies, 'origins', 'copied');
      const declare = { passive: false, type, durable: true, exclusive: false, autoDelete: false };
      const { flow, reached, end } = await opened(t, { url, queue, declare, prefetch: 2 });
      await outside.publish('origins', 'a.b', '{"n":1}', {
        contentType: 'application/json',
        headers: { Region: 'eu', n: 5 },
        messageId: 'm1',
        correlationId: 'c1',
        replyTo: 'r1',
        type: 'T',
        appId: 'shop',
        expiration: '60000',
        timestamp: 1_760_000_000,
        priority: 1,
        CC: 'copied',
      });
      await reached(1);
      flow.at(0).reject(postponed(150, 2));
      await reached(2);
      flow.at(1).reject(postponed(150, 3));
      await reached(3);
      const [first, second, third] = [0, 1, 2].map((index) => flow.at(index).message);
      const shown = (message: Incoming | undefined) => ({
        ...message?.origin.source,
        consumerTag: '',
        redelivered: '',
      });
      assert.deepEqual(shown(second), shown(first));
      assert.deepEqual(shown(third), shown(first));
      assert.equal(first?.origin.source?.['expiration'], '60000');
      const headers = (message: Incoming | undefined) => ({ ...message?.headers });
      assert.deepEqual(headers(first), { region: 'eu', n: '5', cc: ['copied'], 'content-type': 'application/json' });
      assert.deepEqual(headers(second), headers(first));
      assert.deepEqual(headers(third), headers(first));
      assert.deepEqual(
        [first, second, third].map((message) => message?.origin.attempt),
        [1, 2, 3],
      );
      assert.equal(third?.body.length, 7);
      const made = await server.ctl('list_queues', 'name', 'type', 'durable', 'arguments');
      const line = made.split('\n').find((one) => one.startsWith(`dowel.retry.${queue}.200`));
      assert.match(line ?? '', new RegExp(`\\t${type}\\ttrue\\t`));
      assert.match(line ?? '', /x-message-ttl[^}]*200/);
      assert.match(line ?? '', /x-expires[^}]*600200/);
      assert.equal(await outside.count(copies), 1);
      flow.at(2).resolve();
      await end();
      assert.equal(await outside.count(queue), 0);
    });
  }

  test('a message of a sender that the broker vouches for waits here: nobody else may send it', async (t) => {
    const { flow, reached } = await opened(t, { url, queue: 'vouched' });
    const outside = await Outside.at(t, url);
    await outside.publish('', 'vouched', 'x', { userId: 'guest' });
    await reached(1);
    flow.at(0).reject(postponed(50, 2));
    await reached(2);
    assert.equal(flow.at(1).message.origin.attempt, 2);
    assert.equal(flow.at(1).message.origin.source?.['userId'], 'guest');
    assert.doesNotMatch(await server.ctl('list_queues', 'name'), /retry\.vouched/);
  });

  test('where no queue may be made they wait here, and that is said once', async (t) => {
    const near = url.replace('guest:guest', 'reader-of-read:secret');
    const outside = await Outside.at(t, url);
    const { flow, reached, context } = await opened(t, { url: near, queue: 'read' });
    await outside.publish('', 'read', '1');
    await outside.publish('', 'read', '2');
    await reached(2);
    flow.at(0).reject(postponed(50, 2));
    flow.at(1).reject(postponed(50, 2));
    await reached(4);
    assert.deepEqual(
      flow.deliveries.map(({ message }) => message.origin.attempt),
      [1, 1, 2, 2],
    );
    assert.equal(flow.at(2).message.origin.source?.['redelivered'], false);
    const told = context.log.lines.filter(({ message }) => /stay here, unacknowledged/.test(message));
    assert.equal(told.length, 1);
    assert.match(String(told[0]?.fields['detail']), /access to queue 'dowel\.retry\.read\.100' .* refused/);
  });

  test('one that waits here when the source stops goes back to the queue', async (t) => {
    const { flow, reached, end } = await opened(t, { url, queue: 'stopped' });
    const outside = await Outside.at(t, url);
    await outside.publish('', 'stopped', 'x', { userId: 'guest' });
    await reached(1);
    flow.at(0).reject(postponed(3_600_000, 2));
    await end();
    await eventually('it is in the queue', async () => (await outside.count('stopped')) === 1);
  });
});
