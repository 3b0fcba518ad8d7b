/** A broker that is there, and says nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withPackage } from '../../support/debian-server.ts';
import { RabbitmqServer, rabbitmqProgram } from '../../support/rabbitmq-server.ts';
import { opened } from './support/opening.ts';
import { Outside } from './support/outside.ts';

withPackage('rabbitmq-server', rabbitmqProgram, 'amqp, a broker that does not answer', () => {
  test('a quorum queue that was made a moment before the broker was killed is waited for by name', async (t) => {
    await using server = await RabbitmqServer.start();
    const outside = await Outside.at(t, server.url);
    await outside.queue('young', 'quorum');
    await server.kill();
    await server.start();
    const { source, context } = await opened(t, { url: server.url, queue: 'young' });
    // On a quick disk it is there again all the same.
    if (source.ready) return t.skip('the queue has survived');
    const says =
      /^it does not answer, and is waited for: to hand over messages of the queue `young`\. .*`rabbitmqctl delete_queue young`/;
    assert.match(String(source.trouble), says);
    const told = context.log.lines.filter(({ level }) => level === 'warn');
    assert.equal(told.length, 1);
    assert.match(String(told[0]?.fields['far']), /^The queue `young` \(RabbitMQ at /);
    assert.match(String(told[0]?.fields['detail']), says);
  });
});
