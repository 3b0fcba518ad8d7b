import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { Body, type Endpoint, type Exchange, type Failure, failure, type Headers } from '#sdk';
import { systemClock } from '../../../src/core/clock.ts';
import { Life } from '../../../src/core/life.ts';
import { outcomeOf } from '../../../src/errors.ts';
import { withPackage } from '../../support/debian-server.ts';
import { eventually } from '../../support/eventually.ts';
import { outgoing, type PlainContext } from '../../support/plain-context.ts';
import { RabbitmqServer, rabbitmqProgram } from '../../support/rabbitmq-server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { openedEndpoint } from './support/opening.ts';
import { Outside, textOf } from './support/outside.ts';

interface Sending {
  readonly endpoint: Endpoint;
  readonly context: PlainContext;
  send(
    text: string,
    operation?: object,
    more?: { readonly headers?: Headers; readonly ms?: number },
  ): Promise<Exchange | undefined>;
}

async function sending(t: TestContext, options: Parameters<typeof openedEndpoint>[1]): Promise<Sending> {
  const { endpoint, context } = await openedEndpoint(t, options);
  const send: Sending['send'] = (text, operation = {}, { headers = {}, ms } = {}) => {
    const body = text === '' ? Body.empty : Body.bytes(text, 'application/json');
    const exchange = outgoing(context, { body, operation, ownHeaders: headers });
    if (ms === undefined) return endpoint.handle(exchange);
    const late = (): Failure => failure('timeout', { endpoint: 'events', ms });
    const life = new Life(systemClock, { deadline: systemClock.monotonic() + ms, late });
    return endpoint.handle(exchange.withLife(life)).finally(() => life.end());
  };
  return { endpoint, context, send };
}

const failsWith = async (
  work: Promise<unknown>,
  code: string,
  says: RegExp,
  outcome: 'none' | 'unknown',
): Promise<Failure> => {
  const error = await work.then(
    () => assert.fail('it did not fail'),
    (thrown: Failure) => thrown,
  );
  assert.equal(error.code, code, error.message);
  assert.match(error.message, says);
  assert.equal(outcomeOf(error), outcome);
  return error;
};

withPackage('rabbitmq-server', rabbitmqProgram, 'amqp endpoint', () => {
  let server: RabbitmqServer;
  let url: string;
  before(async () => {
    server = await RabbitmqServer.start();
    url = server.url;
    await server.addUser('writer', 'secret', ['.*', '^allowed', '.*']);
  });
  after(() => server[Symbol.asyncDispose]());

  describe('publishing', () => {
    test('to an exchange that it makes, with all that the step says', async (t) => {
      const { send } = await sending(t, {
        url,
        exchange: { name: 'made', type: 'topic', durable: true, autoDelete: false },
      });
      const outside = await Outside.at(t, url);
      await outside.queue('all');
      await outside.channel.bindQueue('all', 'made', '#');
      await send(
        '{"a":1}',
        {
          routingKey: 'order.placed',
          headers: { count: 7, express: true },
          messageId: 'm1',
          correlationId: 'c1',
          replyTo: 'r1',
          expiration: '30s',
          priority: 4,
          type: 'Placed',
        },
        { headers: { region: 'eu', 'content-type': 'application/vnd.order+json' } },
      );
      const { fields, properties, content } = await outside.next('all');
      assert.equal(content.toString(), '{"a":1}');
      assert.equal(fields.routingKey, 'order.placed');
      assert.equal(fields.exchange, 'made');
      const { headers, timestamp, ...rest } = properties;
      const { traceparent, ...others } = headers ?? {};
      assert.deepEqual(others, { region: 'eu', count: 7, express: true });
      assert.match(traceparent, /^00-[\da-f]{32}-[\da-f]{16}-01$/);
      assert.ok(Math.abs(timestamp * 1000 - Date.now()) < 60_000);
      assert.deepEqual(Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)), {
        contentType: 'application/vnd.order+json',
        deliveryMode: 2,
        priority: 4,
        correlationId: 'c1',
        replyTo: 'r1',
        expiration: '30000',
        messageId: 'm1',
        type: 'Placed',
        appId: 'test',
      });
    });

    test('to a queue by its name; an idempotency key becomes the message id', async (t) => {
      const { send } = await sending(t, { url });
      const outside = await Outside.at(t, url);
      await outside.queue('direct');
      await send('x', { routingKey: 'direct', persistent: false }, { headers: { 'idempotency-key': 'k1' } });
      const { properties } = await outside.next('direct');
      assert.equal(properties.messageId, 'k1');
      assert.equal(properties.deliveryMode, 1);
      assert.equal(properties.contentType, 'application/json');
    });

    test('an empty message has no content type', async (t) => {
      const { send } = await sending(t, { url, routingKey: 'empty' });
      const outside = await Outside.at(t, url);
      await outside.queue('empty');
      await send('');
      const { properties, content } = await outside.next('empty');
      assert.equal(content.length, 0);
      assert.equal(properties.contentType, undefined);
    });

    test('a thousand at once, with few unconfirmed at a time, keep their order', async (t) => {
      const { send } = await sending(t, { url, routingKey: 'many', maxUnconfirmed: 10 });
      const outside = await Outside.at(t, url);
      await outside.queue('many');
      const numbers = Array.from({ length: 1000 }, (_, index) => String(index));
      await Promise.all(numbers.map((number) => send(number)));
      assert.equal(await outside.count('many'), 1000);
      const got: string[] = [];
      for (const _ of numbers) got.push(textOf(await outside.next('many')));
      assert.deepEqual(got, numbers);
    });

    test('messages of megabytes', async (t) => {
      const { send } = await sending(t, { url, routingKey: 'large' });
      const outside = await Outside.at(t, url);
      await outside.queue('large');
      const text = JSON.stringify('x'.repeat(3_000_000));
      await send(text);
      assert.equal(textOf(await outside.next('large')), text);
    });
  });

  describe('what the broker does not take', () => {
    test('an unroutable message fails, and of two with one id only that one', async (t) => {
      const { send } = await sending(t, { url, exchange: { name: 'amq.direct', durable: true, autoDelete: false } });
      const outside = await Outside.at(t, url);
      await outside.queue('routed');
      await outside.channel.bindQueue('routed', 'amq.direct', 'here');
      const same = { messageId: 'same' };
      const [nowhere, here, again] = await Promise.allSettled([
        send('1', { ...same, routingKey: 'nowhere' }),
        send('2', { ...same, routingKey: 'here' }),
        send('3', { ...same, routingKey: 'nowhere' }),
      ]);
      assert.equal(here?.status, 'fulfilled');
      assert.equal(again?.status, 'rejected');
      const reason = nowhere?.status === 'rejected' ? nowhere.reason : undefined;
      await failsWith(
        Promise.reject(reason),
        'unroutable',
        /^events has nobody to give the message to: no queue is bound to the exchange `amq\.direct` for the routing key `nowhere`$/,
        'none',
      );
      assert.equal(await outside.count('routed'), 1);
    });

    test('with `mandatory: false` it is dropped', async (t) => {
      const { send } = await sending(t, { url });
      await send('x', { routingKey: 'nobody-reads-this', mandatory: false });
    });

    test('a full queue refuses; what was sent is unknown, for other queues may have it', async (t) => {
      const { send } = await sending(t, { url, routingKey: 'full' });
      await (await Outside.at(t, url)).queue('full', 'classic', { 'x-max-length': 1, 'x-overflow': 'reject-publish' });
      await send('1');
      await failsWith(send('2'), 'refused', /did not take the message: a queue it goes to is full/, 'unknown');
    });

    test('an exchange that was deleted: the one message is surely lost, and then it is made again', async (t) => {
      const exchange = { name: 'short-lived', type: 'fanout', durable: true, autoDelete: false };
      const { send, endpoint } = await sending(t, { url, exchange });
      const outside = await Outside.at(t, url);
      await outside.queue('beside');
      await outside.channel.deleteExchange('short-lived');
      await failsWith(send('1'), 'refused', /no exchange 'short-lived' in vhost/, 'none');
      await eventually('it is ready again', () => endpoint.ready === true);
      await outside.channel.bindQueue('beside', 'short-lived', '');
      await send('2');
      assert.equal(textOf(await outside.next('beside')), '2');
    });

    test('an exchange that may not be written to', async (t) => {
      const exchange = { name: 'forbidden', type: 'fanout', durable: true, autoDelete: false };
      const { send } = await sending(t, { url: url.replace('guest:guest', 'writer:secret'), exchange });
      const error = await failsWith(
        send('1'),
        'refused',
        /access to exchange 'forbidden' .* refused for user 'writer'/,
        'none',
      );
      assert.equal(error.kind, 'permanent');
    });

    for (const [title, operation, says] of [
      ['a routing key that is too long', { routingKey: 'x'.repeat(256) }, /`routingKey` is longer than 255 bytes/],
      ['no routing key for the default exchange', {}, /it has no routing key; give `routingKey` on the step or the/],
      ['a priority that is none', { routingKey: 'q', priority: 256 }, /`priority` is not a whole number from 0 to 255/],
      [
        'an expiration that is none',
        { routingKey: 'q', expiration: 'soon' },
        /`expiration` is not a time such as `30s`/,
      ],
      [
        'headers of many kilobytes',
        { routingKey: 'q', headers: { a: 'x'.repeat(200_000) } },
        /its headers are too large/,
      ],
    ] as const) {
      test(title, async (t) => {
        const { send } = await sending(t, { url });
        const { message } = await failsWith(send('x', operation), 'bad-request', says, 'none');
        assert.match(message, /^The message cannot be sent: /);
        const outside = await Outside.at(t, url);
        await outside.queue('afterwards');
        await send('the channel lives', { routingKey: 'afterwards' });
        await outside.channel.purgeQueue('afterwards');
      });
    }
  });

  describe('what does not heal by waiting ends the start', () => {
    const refuses = (t: TestContext, options: Parameters<typeof openedEndpoint>[1], says: RegExp): Promise<void> =>
      assert.rejects(
        () => openedEndpoint(t, options),
        (thrown: Failure) =>
          thrown.code === 'startup' && says.test(thrown.message) && !/secret|wrong"/.test(thrown.message),
      );

    test('an exchange that is only checked and not there', (t) =>
      refuses(
        t,
        { url, exchange: { name: 'not-there', durable: true, autoDelete: false } },
        /^The endpoint `events` \(RabbitMQ at .*\) could not be opened: there is no exchange `not-there`: make it, or say its `type`/,
      ));

    test('an exchange of another type', (t) =>
      refuses(
        t,
        { url, exchange: { name: 'amq.topic', type: 'direct', durable: true, autoDelete: false } },
        /exchange 'amq.topic' is there already, with `type` topic and not direct/,
      ));

    test('a wrong password', (t) => refuses(t, { url: url.replace(':guest', ':wrong') }, /refused the user `guest`/));
  });

  describe('while nothing can be published', () => {
    test('without a connection a message waits, within its time, and is surely not sent', async (t) => {
      await using proxy = await TcpProxy.before(server.port);
      const { send, endpoint } = await sending(t, {
        url: url.replace(String(server.port), String(proxy.port)),
        routingKey: 'waited',
      });
      const outside = await Outside.at(t, url);
      await outside.queue('waited');
      proxy.reset();
      await eventually('it notices', () => endpoint.ready === false);
      await send('1', {}, { ms: 10_000 });
      assert.equal(textOf(await outside.next('waited')), '1');
    });

    test('a broker that nobody reaches: not ready, and calls fail in their time', async (t) => {
      const { send, endpoint } = await sending(t, { url: 'amqp://127.0.0.1:9', routingKey: 'q' });
      assert.equal(endpoint.ready, false);
      const error = await failsWith(
        send('1', {}, { ms: 50 }),
        'connection',
        /nobody listens there \(ECONNREFUSED\)/,
        'none',
      );
      assert.equal(error.kind, 'transient');
    });

    test('a blocked broker: what comes waits, what was written is unknown when it is cut', async (t) => {
      await using proxy = await TcpProxy.before(server.port);
      const { send, context } = await sending(t, {
        url: url.replace(String(server.port), String(proxy.port)),
        routingKey: 'blocked',
      });
      const outside = await Outside.at(t, url);
      await outside.queue('blocked');
      await server.block();
      try {
        const written = send('1');
        await eventually('the broker says that it is blocked', () =>
          context.log.lines.some(({ message }) => message === 'the broker takes no messages now'),
        );
        await failsWith(send('2', {}, { ms: 50 }), 'connection', /takes no messages now: low on memory/, 'none');
        const waiting = send('3', {}, { ms: 20_000 });
        proxy.reset();
        await failsWith(
          written,
          'connection',
          /the connection was cut \(ECONNRESET\), and it was not confirmed/,
          'unknown',
        );
        await server.unblock();
        await waiting;
      } finally {
        await server.unblock();
      }
    });

    test('closing tells whoever waits', async (t) => {
      const { send, endpoint } = await sending(t, { url: 'amqp://127.0.0.1:9', routingKey: 'q' });
      const waiting = assert.rejects(send('1'), { code: 'stopping' });
      await endpoint.close();
      await waiting;
      await assert.rejects(send('2'), { code: 'stopping' });
      await endpoint.close();
    });
  });

  describe('request-reply', () => {
    async function echo(t: TestContext, queue: string): Promise<Outside> {
      const outside = await Outside.at(t, url);
      await outside.queue(queue);
      await outside.channel.consume(
        queue,
        (message) => {
          if (!message) return;
          const { replyTo, correlationId, headers, contentType } = message.properties;
          const content = Buffer.from(`${message.content} ${message.properties.expiration !== undefined}`);
          outside.channel.sendToQueue(replyTo, content, { correlationId, contentType, headers });
        },
        { noAck: true },
      );
      return outside;
    }

    test('many questions at once each get their own answer, before their time is over', async (t) => {
      await echo(t, 'echo');
      const { send } = await sending(t, { url, routingKey: 'echo' });
      const numbers = Array.from({ length: 50 }, (_, index) => String(index));
      const answers = await Promise.all(
        numbers.map((number) => send(number, { answered: true }, { headers: { n: number }, ms: 10_000 })),
      );
      for (const [index, answer] of answers.entries()) {
        assert.equal(await answer?.bytes().toString(), `${index} true`);
        assert.equal(answer?.headers['n'], String(index));
        assert.equal(answer?.response?.endpoint, 'events');
        assert.deepEqual({ ...answer?.ownHeaders }, {});
      }
    });

    test('nobody there is known at once; nobody who answers, in time', async (t) => {
      const { send } = await sending(t, { url });
      const asked = { answered: true };
      await failsWith(send('x', { ...asked, routingKey: 'no-service' }), 'unroutable', /no queue `no-service`/, 'none');
      await (await Outside.at(t, url)).queue('mute-service');
      await failsWith(
        send('x', { ...asked, routingKey: 'mute-service' }, { ms: 100 }),
        'timeout',
        /within 100 ms/,
        'unknown',
      );
    });

    test('a status in the answer decides as one of HTTP does', async (t) => {
      await echo(t, 'status');
      const { send } = await sending(t, { url, routingKey: 'status' });
      const asked = { answered: true };
      await assert.rejects(send('x', asked, { headers: { 'x-status': '404' } }), { code: 'http-404' });
      const answer = await send('x', { ...asked, expect: ['4xx'] }, { headers: { 'x-status': '404' } });
      assert.equal(answer?.response?.status, 404);
    });

    test('a connection that is lost before the answer: unknown', async (t) => {
      await using proxy = await TcpProxy.before(server.port);
      const { send } = await sending(t, {
        url: url.replace(String(server.port), String(proxy.port)),
        routingKey: 'slow',
      });
      const outside = await Outside.at(t, url);
      await outside.queue('slow');
      const asked = send('x', { answered: true });
      await eventually('it was asked', async () => (await outside.count('slow')) === 1);
      proxy.reset();
      await failsWith(asked, 'connection', /lost before the answer came|it was not confirmed/, 'unknown');
    });
  });
});
