import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Body } from '#sdk';
import { failure } from '../../../src/errors.ts';
import { withPackage } from '../../support/debian-server.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { MosquittoServer, mosquittoProgram } from '../../support/mosquitto-server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { listen, openedEndpoint, stranger } from './support.ts';

withPackage('mosquitto', mosquittoProgram, 'mqtt endpoint', () => {
  let broker: MosquittoServer;
  before(async () => {
    broker = await MosquittoServer.start({
      files: { acl: 'topic readwrite #\ntopic deny secret/#\n' },
      settings: (folder) => [`acl_file ${folder}/acl`, 'max_packet_size 20000'],
    });
  });
  after(() => broker[Symbol.asyncDispose]());

  test('a message is published with its body, its headers, its content type and what the call says', async (t) => {
    const seen = await listen(t, broker, 'full/#');
    const { send } = await openedEndpoint(t, { url: broker.url });
    const operation = {
      topic: 'full/a',
      messageExpiry: 90_000,
      responseTopic: 'answers/b',
      correlationData: 42,
    };
    const headers = { traceparent: '00-1', tags: ['x', 'y'] };
    assert.equal(await send(operation, { body: Body.value({ a: 1 }), headers }), undefined);
    await eventually('it is there', () => seen.length === 1);
    const [{ topic, payload, qos, retain, properties } = assert.fail()] = seen;
    assert.deepEqual([topic, payload.toString(), qos, retain], ['full/a', '{"a":1}', 1, false]);
    const { messageExpiryInterval, userProperties, ...rest } = properties ?? {};
    assert.ok((messageExpiryInterval ?? 0) > 85);
    assert.deepEqual({ ...userProperties }, { traceparent: '00-1', tags: ['x', 'y'] });
    assert.deepEqual(rest, {
      contentType: 'application/json',
      responseTopic: 'answers/b',
      correlationData: Buffer.from('42'),
    });
  });

  test('retain and QoS of the endpoint hold where the call says nothing', async (t) => {
    const { send } = await openedEndpoint(t, { url: broker.url, qos: 0, retain: true });
    await send({ topic: 'kept/a' }, { body: Body.value('one') });
    await send({ topic: 'kept/b', retain: false }, { body: Body.value('two') });
    await send({ topic: 'kept/c', qos: 1 }, { body: Body.value('three') });
    await eventually('all were taken', () => /Received PUBLISH.*'kept\/c'/.test(broker.log));
    const seen = await listen(t, broker, 'kept/#');
    await eventually('those that are kept come', () => seen.length === 2);
    assert.deepEqual(
      seen.map(({ topic, retain }) => [topic, retain]),
      [
        ['kept/a', true],
        ['kept/c', true],
      ],
    );
    const how = (topic: string): string | undefined =>
      new RegExp(`Received PUBLISH from dowel\\w+ \\((d\\d, q\\d, r\\d), .*'${topic}'`).exec(broker.log)?.[1];
    assert.deepEqual([how('kept/a'), how('kept/b'), how('kept/c')], ['d0, q0, r1', 'd0, q0, r0', 'd0, q1, r1']);
  });

  test('MQTT 3.1.1: body and topic go, headers cannot, and what it does not know is refused', async (t) => {
    const seen = await listen(t, broker, 'old/#');
    const { send } = await openedEndpoint(t, { url: broker.url, version: '3.1.1' });
    await send({ topic: 'old/a' }, { body: Body.value({ a: 1 }), headers: { x: 'y' } });
    await eventually('it is there', () => seen.length === 1);
    assert.deepEqual([seen[0]?.payload.toString(), seen[0]?.properties], ['{"a":1}', undefined]);
    await assert.rejects(send({ topic: 'old/a', messageExpiry: 1000 }), /`messageExpiry` needs `version: 5`/);
    await assert.rejects(send({ topic: 'old/a', answered: true }), /`call` needs `version: 5`.*use `send`/);
  });

  test('what the broker refuses is a failure that says why, and had no effect', async (t) => {
    const { send } = await openedEndpoint(t, { url: broker.url });
    const refused = (operation: object, size: number) =>
      send(operation, { body: Body.value('x'.repeat(size)) }).then(
        () => assert.fail('it was taken'),
        ({ code, kind, facts, message }) => ({ code, kind, facts, message }),
      );
    const secret = await refused({ topic: 'secret/a' }, 1);
    assert.deepEqual(
      [secret.code, secret.kind, secret.facts.reason, secret.facts.sent],
      ['refused', 'permanent', 0x87, false],
    );
    assert.match(secret.message, /^devices did not take the message: not authorized \(0x87\)/);
    const large = await refused({ topic: 'a' }, 30_000);
    assert.deepEqual([large.code, large.kind, large.facts.reason], ['refused', 'permanent', 0x95]);
    // The connection has outlived both.
    await send({ topic: 'a' }, { body: Body.value('x'.repeat(19_000)) });
  });

  test('nobody subscribes: the broker has it all the same', async (t) => {
    const { send } = await openedEndpoint(t, { url: broker.url });
    assert.equal(await send({ topic: 'nobody/listens' }), undefined);
  });

  test('a topic that cannot be one is an error of the message', async (t) => {
    const { send } = await openedEndpoint(t, { url: broker.url });
    for (const topic of ['a/#', '+/b', '', 'a\0b', 'x'.repeat(70_000), undefined, 7]) {
      await assert.rejects(send({ topic }), { code: 'validation', kind: 'permanent' });
    }
  });

  test('a header that MQTT cannot carry is an error of the message, and costs no connection', async (t) => {
    const { send, context } = await openedEndpoint(t, { url: broker.url });
    for (const value of ['a\0b', 'two\nlines', 'x'.repeat(70_000), ['fine', '\ufffe']]) {
      await assert.rejects(send({ topic: 'a' }, { headers: { note: value } }), {
        code: 'validation',
        kind: 'permanent',
      });
    }
    await send({ topic: 'a' }, { headers: { note: '', other: 'ü' } });
    assert.deepEqual(
      context.log.lines.filter(({ level }) => level === 'warn'),
      [],
    );
  });

  test('no connection: a message waits within its time, then fails as unsent; nothing of it is sent afterwards', async (t) => {
    const port = await freePort();
    const { send, endpoint } = await openedEndpoint(t, { url: `mqtt://127.0.0.1:${port}` });
    assert.equal(endpoint.ready, false);
    await assert.rejects(send({ topic: 'late' }, { within: 30, body: Body.value('lost') }), {
      code: 'connection',
      kind: 'transient',
      facts: {
        endpoint: 'devices',
        sent: false,
        detail: 'there was no connection in all that time: nobody listens there (ECONNREFUSED)',
      },
    });
    const waiting = send({ topic: 'late' }, { within: 20_000, body: Body.value('kept') });
    await using back = await MosquittoServer.start({ port });
    await waiting;
    await send({ topic: 'last' });
    await eventually('the log has all', () => back.log.includes("'last'"));
    assert.equal(back.log.split('Received PUBLISH').length - 1, 2);
  });

  test('what is cancelled while it waits is cancelled', async (t) => {
    const { endpoint, context } = await openedEndpoint(t, { url: `mqtt://127.0.0.1:${await freePort()}` });
    const { outgoing } = await import('../../support/plain-context.ts');
    const exchange = outgoing(context, { operation: { topic: 'a' } });
    const sending = endpoint.handle(exchange);
    exchange.life.abort(failure('aborted', { detail: 'the caller went away' }));
    await assert.rejects(sending, { code: 'aborted', kind: 'cancelled' });
  });

  test('a connection that is lost before PUBACK: the outcome is unknown, and the next message goes', async (t) => {
    await using proxy = await TcpProxy.before(broker.port);
    const { send, endpoint } = await openedEndpoint(t, { url: `mqtt://127.0.0.1:${proxy.port}` });
    proxy.mute();
    const sending = send({ topic: 'gone' }, { body: Body.value('x'), within: 20_000 });
    const failed = assert.rejects(sending, ({ code, facts, message }) => {
      assert.deepEqual([code, facts.sent], ['connection', true]);
      assert.match(message, /before it acknowledged, the connection was reset/);
      return true;
    });
    // It must be on its way before the connection breaks.
    await new Promise((resolve) => setImmediate(resolve));
    proxy.reset();
    await failed;
    await eventually('it is connected again', () => endpoint.ready === true);
    await send({ topic: 'gone' }, { body: Body.value('y'), within: 20_000 });
  });

  test('a peer that falls silent is given up after the keepalive', async (t) => {
    await using proxy = await TcpProxy.before(broker.port);
    const { send, endpoint, context } = await openedEndpoint(t, {
      url: `mqtt://127.0.0.1:${proxy.port}`,
      keepalive: 1000,
    });
    proxy.mute();
    await assert.rejects(send({ topic: 'silent' }, { within: 20_000 }), /the broker does not answer any more/);
    await eventually('it is connected again', () => endpoint.ready === true);
    assert.ok(context.log.lines.some(({ fields }) => fields['detail'] === 'the broker does not answer any more'));
    await send({ topic: 'silent' }, { within: 20_000 });
  });

  test('no more are on their way than may be; the others wait for their turn', async (t) => {
    await using proxy = await TcpProxy.before(broker.port);
    const { send } = await openedEndpoint(t, { url: `mqtt://127.0.0.1:${proxy.port}`, inFlight: 2 });
    proxy.mute();
    const first = [1, 2].map((n) =>
      send({ topic: `turn/${n}` }, { within: 20_000 }).catch((error) => error.facts.sent),
    );
    await assert.rejects(send({ topic: 'turn/3' }, { within: 30 }), {
      facts: { endpoint: 'devices', sent: false, detail: '2 messages before it are not acknowledged yet' },
    });
    proxy.reset();
    assert.deepEqual(await Promise.all(first), [true, true]);
  });

  test('never more at once than the broker takes', async (t) => {
    // Mosquitto takes 20 unless told otherwise, and closes the connection of who sends more.
    const { send } = await openedEndpoint(t, { url: broker.url, inFlight: 1000 });
    await Promise.all(Array.from({ length: 500 }, (_, n) => send({ topic: `many/${n}` }, { within: 20_000 })));
    assert.doesNotMatch(broker.log, /Receive maximum exceeded/i);
  });

  test('a call is answered by who reads the topic, and gets the answer that is meant for it', async (t) => {
    const service = await stranger(broker);
    t.after(() => service.endAsync(true));
    await service.subscribeAsync('questions/+', { qos: 1 });
    const asked: { readonly topic: string; readonly reply: () => void }[] = [];
    service.on('message', (topic, payload, { properties }) => {
      const { responseTopic = '', correlationData = Buffer.alloc(0) } = properties ?? {};
      const answer = { properties: { correlationData, contentType: 'text/plain', userProperties: { Who: topic } } };
      asked.push({ topic, reply: () => void service.publishAsync(responseTopic, `re: ${payload}`, answer) });
    });
    const { send } = await openedEndpoint(t, { url: broker.url });
    const ask = (n: number) => send({ topic: `questions/${n}`, answered: true }, { body: Body.value(`q${n}`) });
    const answers = [ask(1), ask(2)];
    await eventually('both are asked', () => asked.length === 2);
    for (const { reply } of asked.toReversed()) reply();
    const [one, two] = await Promise.all(answers);
    assert.deepEqual([await one?.bytes(), await two?.bytes()].map(String), ['re: q1', 're: q2']);
    assert.equal(one?.response?.headers['who'], 'questions/1');
    assert.equal(one?.body.contentType, 'text/plain');
    assert.equal(one?.response?.endpoint, 'devices');
  });

  test('a call whose connection breaks before the answer fails; its outcome is unknown', async (t) => {
    await using proxy = await TcpProxy.before(broker.port);
    const { send } = await openedEndpoint(t, { url: `mqtt://127.0.0.1:${proxy.port}` });
    const calling = send({ topic: 'nobody/answers', answered: true }, { within: 20_000 });
    const failed = assert.rejects(calling, /before the answer came, the connection was reset/);
    await eventually('it was asked', () =>
      /Sending PUBACK to dowel\w+ .*\n/.test(broker.log.split('nobody/answers')[1] ?? ''),
    );
    proxy.reset();
    await failed;
  });

  test('a call that nobody answers ends with its time', async (t) => {
    const { send } = await openedEndpoint(t, { url: broker.url });
    await assert.rejects(send({ topic: 'nobody/answers', answered: true }, { within: 50 }), { code: 'timeout' });
  });

  test('closes at once though the peer is silent', async (t) => {
    await using proxy = await TcpProxy.before(broker.port);
    const { endpoint } = await openedEndpoint(t, { url: `mqtt://127.0.0.1:${proxy.port}` });
    proxy.mute();
    await endpoint.close();
  });
});
