import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { withPackage } from '../../support/debian-server.ts';
import { eventually } from '../../support/eventually.ts';
import { RabbitmqServer, rabbitmqProgram } from '../../support/rabbitmq-server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { opened } from './support/opening.ts';
import { Outside } from './support/outside.ts';

const refuses = (t: TestContext, options: Parameters<typeof opened>[1], says: RegExp): Promise<void> =>
  assert.rejects(
    () => opened(t, options),
    (thrown: Error & { readonly code?: string }) => {
      assert.equal(thrown.code, 'startup');
      assert.match(thrown.message, says);
      assert.doesNotMatch(thrown.message, /\n|guest:|secret/);
      return true;
    },
  );

withPackage('rabbitmq-server', rabbitmqProgram, 'amqp source', () => {
  let server: RabbitmqServer;
  let url: string;
  before(async () => {
    server = await RabbitmqServer.shared();
    url = server.url;
    await server.addUser('reader', 'secret', ['^$', '^$', '.*']);
    await server.ctl('add_vhost', 'a/b');
    await server.ctl('set_permissions', '-p', 'a/b', 'guest', '.*', '.*', '.*');
  });
  after(() => server[Symbol.asyncDispose]());

  describe('the queue', () => {
    test('is made as a durable quorum queue, with its bindings', async (t) => {
      const outside = await Outside.at(t, url);
      await outside.channel.assertExchange('orders', 'topic');
      const { reached, flow } = await opened(t, {
        url,
        queue: 'audit',
        bind: [{ exchange: 'orders', routingKey: 'order.#' }],
        prefetch: 20,
      });
      assert.match(await server.ctl('list_queues', 'name', 'type', 'durable'), /audit\tquorum\ttrue/);
      await outside.publish('orders', 'order.placed', '{}');
      await reached(1);
      assert.equal(flow.sources()[0]?.['routingKey'], 'order.placed');
    });

    test('has the kind and the arguments that the file says', async (t) => {
      const declare = {
        passive: false,
        type: 'classic',
        durable: false,
        exclusive: false,
        autoDelete: true,
        arguments: { 'x-max-length': 2, 'x-max-priority': 5 },
      } as const;
      await opened(t, { url, queue: 'special', declare });
      const line = await server.ctl('list_queues', 'name', 'type', 'durable', 'auto_delete', 'arguments');
      assert.match(line, /special\tclassic\tfalse\ttrue\t.*x-max-length.*2.*x-max-priority.*5/);
    });

    test('an exchange under `bind` is made when its type is there', async (t) => {
      const headers = { 'x-match': 'all', region: 'eu', size: 3 };
      const bind = [{ exchange: 'by-headers', type: 'headers', routingKey: '', headers }];
      const { reached, flow } = await opened(t, { url, queue: 'european', bind });
      const outside = await Outside.at(t, url);
      await outside.publish('by-headers', '', 'no', { headers: { region: 'us', size: 3 } });
      await outside.publish('by-headers', '', 'yes', { headers: { region: 'eu', size: 3 } });
      await reached(1);
      assert.equal(flow.at(0).message.headers['region'], 'eu');
    });

    test('in another virtual host, with a slash in its name', async (t) => {
      const { source } = await opened(t, { url: new URL('/a%2Fb', url).href, queue: 'elsewhere' });
      assert.equal(source.ready, true);
      assert.match(await server.ctl('list_queues', '-p', 'a/b', 'name'), /elsewhere/);
    });
  });

  describe('what does not heal by waiting ends the start, in one line', () => {
    const passive = { passive: true, type: 'quorum', durable: true, exclusive: false, autoDelete: false } as const;

    test('a wrong password', (t) =>
      refuses(
        t,
        { url: `amqp://127.0.0.1:${server.port}`, username: 'reader', password: 'wrong', queue: 'q' },
        /^RabbitMQ at 127\.0\.0\.1:\d+ could not be opened: it refused the user `reader`: wrong name or password$/,
      ));

    test('a virtual host that is not there', (t) =>
      refuses(
        t,
        { url: new URL('/nowhere', url).href, queue: 'q' },
        /there is no virtual host `nowhere`, or the user `guest` may not/,
      ));

    test('a queue that is only checked and not there', (t) =>
      refuses(
        t,
        { url, queue: 'missing', declare: passive },
        /^The queue `missing` \(RabbitMQ at .*\) could not be opened: there is no queue `missing`: make it first, or drop/,
      ));

    test('an exchange that is not there', (t) =>
      refuses(
        t,
        { url, queue: 'q1', bind: [{ exchange: 'nobodys', routingKey: '' }] },
        /no exchange 'nobodys' in vhost '(\/|t\d+)': make it first, or say its `type` under `bind`/,
      ));

    test('a queue of another kind: what differs', async (t) => {
      await (await Outside.at(t, url)).queue('old', 'classic');
      await refuses(
        t,
        { url, queue: 'old' },
        /queue 'old' is there already, with `x-queue-type` classic and not quorum: .* \(see `declare`\)/,
      );
    });

    test('a user without the permission', (t) =>
      refuses(
        t,
        { url: url.replace('guest:guest', 'reader:secret'), queue: 'q2' },
        /access to queue 'q2' in vhost '(\/|t\d+)' refused for user 'reader': `rabbitmqctl set_permissions` gives access/,
      ));

    test('something that does not speak AMQP', async (t) => {
      const { createServer } = await import('node:net');
      const other = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n'));
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      t.after(() => other.close());
      const { port } = other.address() as { readonly port: number };
      await refuses(t, { url: `amqp://127.0.0.1:${port}`, queue: 'q' }, /does not speak AMQP 0-9-1/);
    });
  });

  describe('a message', () => {
    test('has its headers as text and its properties under `$source`', async (t) => {
      const { reached, flow } = await opened(t, { url, queue: 'props', consumerTag: 'me', reply: true });
      const outside = await Outside.at(t, url);
      await outside.publish('', 'props', 'x', {
        contentType: 'text/plain',
        contentEncoding: 'utf-8',
        headers: { Region: 'eu', count: 7, yes: true, list: ['a', 'b'], deep: { a: [1] }, bytes: Buffer.from('ab') },
        messageId: 'm1',
        correlationId: 'c1',
        replyTo: 'r1',
        type: 'Placed',
        appId: 'shop',
        userId: 'guest',
        timestamp: 1_760_000_000,
        expiration: '60000',
        priority: 3,
      });
      await reached(1);
      const { headers, origin, body } = flow.at(0).message;
      assert.deepEqual(
        { ...headers },
        {
          region: 'eu',
          count: '7',
          yes: 'true',
          list: ['a', 'b'],
          deep: '{"a":[1]}',
          bytes: 'YWI=',
          'content-type': 'text/plain',
          'content-encoding': 'utf-8',
        },
      );
      assert.deepEqual(origin.source, {
        queue: 'props',
        exchange: '',
        routingKey: 'props',
        redelivered: false,
        consumerTag: 'me',
        messageId: 'm1',
        correlationId: 'c1',
        replyTo: 'r1',
        type: 'Placed',
        appId: 'shop',
        userId: 'guest',
        expiration: '60000',
        priority: 3,
        timestamp: '2025-10-09T08:53:20.000Z',
      });
      assert.equal(body.contentType, 'text/plain');
    });

    test('without a content type is left to the engine; an empty one is empty', async (t) => {
      const { reached, flow } = await opened(t, { url, queue: 'bare' });
      await (await Outside.at(t, url)).publish('', 'bare', '');
      await reached(1);
      assert.equal(flow.at(0).message.body.contentType, undefined);
      assert.equal(flow.at(0).message.body.isEmpty, true);
    });

    for (const [type, attempts] of [
      ['quorum', [1, 2, 3]],
      ['classic', [1, 2, 2]],
    ] as const) {
      test(`counts its attempts as a ${type} queue does`, async (t) => {
        const declare = { passive: false, type, durable: true, exclusive: false, autoDelete: false };
        const { reached, flow } = await opened(t, { url, queue: `counting-${type}`, declare });
        await (await Outside.at(t, url)).publish('', `counting-${type}`, 'x');
        for (const index of [0, 1, 2]) {
          await reached(index + 1);
          flow.at(index).reject(new Error('given back'));
        }
        assert.deepEqual(
          flow.deliveries.slice(0, 3).map((one) => one.message.origin.attempt),
          attempts,
        );
      });
    }

    for (const type of ['quorum', 'classic'] as const) {
      test(`counts from its first attempt in a ${type} queue, whatever count its sender or a shovel left in its headers`, async (t) => {
        const declare = { passive: false, type, durable: true, exclusive: false, autoDelete: false };
        const { reached, flow } = await opened(t, { url, queue: `counted-${type}`, declare });
        const outside = await Outside.at(t, url);
        await outside.publish('', `counted-${type}`, 'x', { headers: { 'x-delivery-count': 50 } });
        await reached(1);
        assert.equal(flow.at(0).message.origin.attempt, 1);
        flow.at(0).reject(new Error('given back'));
        await reached(2);
        assert.equal(flow.at(1).message.origin.attempt, 2);
      });
    }

    test('for which the flow throws at once goes back, and the process lives', async (t) => {
      let calls = 0;
      const { end } = await opened(
        t,
        { url, queue: 'throwing' },
        {
          deliver: () => {
            calls++;
            if (calls === 1) throw new Error('at once');
            return Promise.resolve(undefined);
          },
        },
      );
      await (await Outside.at(t, url)).publish('', 'throwing', 'x');
      await eventually('it comes again', () => calls === 2);
      await end();
    });
  });

  describe('losses', () => {
    test('a queue that is deleted is made again, and read', async (t) => {
      const { reached, source, flow, context } = await opened(t, { url, queue: 'deleted' });
      const outside = await Outside.at(t, url);
      await outside.channel.deleteQueue('deleted');
      await eventually('it notices', () => context.log.lines.some((line) => line.level === 'warn'));
      await eventually('it is ready again', () => source.ready === true);
      await outside.publish('', 'deleted', 'x');
      await reached(1);
      assert.equal(flow.deliveries.length, 1);
      const [line] = context.log.lines.filter(({ level }) => level === 'warn');
      assert.match(String(line?.fields['detail']), /the broker took the queue away/);
    });

    test('a queue that is only checked is waited for, and said once', async (t) => {
      const outside = await Outside.at(t, url);
      await outside.queue('theirs');
      const declare = { passive: true, type: 'quorum', durable: true, exclusive: false, autoDelete: false } as const;
      const { source, context } = await opened(t, { url, queue: 'theirs', declare });
      await outside.channel.deleteQueue('theirs');
      const said = (): readonly string[] =>
        context.log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => String(fields['detail']));
      await eventually('it says so', () => said().some((detail) => /there is no queue `theirs`/.test(detail)));
      assert.equal(source.ready, false);
      await outside.queue('theirs');
      await eventually('it is ready again', () => source.ready === true);
      assert.equal(said().filter((detail) => /there is no queue/.test(detail)).length, 1);
    });

    test('a connection that is reset', async (t) => {
      await using proxy = await TcpProxy.before(server.port);
      const near = url.replace(String(server.port), String(proxy.port));
      const { reached, flow, end } = await opened(t, { url: near, queue: 'reset' });
      const outside = await Outside.at(t, url);
      await outside.publish('', 'reset', '1');
      await reached(1);
      proxy.reset();
      await reached(2);
      flow.at(0).resolve();
      flow.at(1).resolve();
      await outside.publish('', 'reset', '2');
      await reached(3);
      flow.at(2).resolve();
      await end();
      assert.equal(await outside.count('reset'), 0);
    });

    test('a peer that falls silent is found out by its heartbeat', async (t) => {
      await using proxy = await TcpProxy.before(server.port);
      const near = url.replace(String(server.port), String(proxy.port));
      const { reached, context } = await opened(t, { url: near, queue: 'silent', heartbeat: 1000 });
      proxy.mute();
      const outside = await Outside.at(t, url);
      await outside.publish('', 'silent', '1');
      await reached(1);
      const details = context.log.lines.map(({ fields }) => String(fields['detail']));
      assert.ok(
        details.some((detail) => /no sign of life/.test(detail)),
        details.join('\n'),
      );
    });

    test('closing ends though the peer is silent, and leaves nothing that the process would wait for', async (t) => {
      await using proxy = await TcpProxy.before(server.port);
      const near = url.replace(String(server.port), String(proxy.port));
      const timers = (): number => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
      const before = timers();
      const { end } = await opened(t, { url: near, queue: 'silent-end' });
      proxy.mute();
      await end();
      await eventually('no timer is left', () => timers() <= before);
    });

    test('of several addresses the one that answers is used', async (t) => {
      const { source } = await opened(t, { url: ['amqp://guest:guest@127.0.0.1:9', url], queue: 'failover' });
      assert.equal(source.ready, true);
    });
  });

  test('two readers that want the queue alone: the second stands by, and takes over', async (t) => {
    const declare = { passive: false, type: 'classic', durable: true, exclusive: false, autoDelete: false } as const;
    const first = await opened(t, { url, queue: 'alone', exclusive: true, declare });
    const second = await opened(t, { url, queue: 'alone', exclusive: true, declare });
    assert.deepEqual([first.source.ready, second.source.ready], [true, false]);
    await eventually('it says why', () =>
      second.context.log.lines.some(({ fields }) =>
        /exclusive use: there is another reader/.test(String(fields['detail'])),
      ),
    );
    await first.end();
    await eventually('the second takes over', () => second.source.ready === true);
  });

  test('a reader of higher priority gets the messages', async (t) => {
    const low = await opened(t, { url, queue: 'ranked', priority: 0 });
    const high = await opened(t, { url, queue: 'ranked', priority: 10 });
    await (await Outside.at(t, url)).publish('', 'ranked', 'x');
    await high.reached(1);
    assert.equal(low.flow.deliveries.length, 0);
  });
});
