import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Body } from '#sdk';
import { Life } from '../../../src/core/life.ts';
import { withPackage } from '../../support/debian-server.ts';
import { eventually } from '../../support/eventually.ts';
import { NatsServer, natsProgram } from '../../support/nats-server.ts';
import { outgoing, type PlainContext } from '../../support/plain-context.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { fresh, openedEndpoint, outsider } from './support.ts';

withPackage('nats-server', natsProgram, 'nats endpoint', () => {
  let server: NatsServer;
  before(async () => {
    server = await NatsServer.start();
  });
  after(() => server[Symbol.asyncDispose]());

  const message = (context: PlainContext, operation: object, value: unknown = { n: 1 }, headers = {}) =>
    outgoing(context, { body: Body.value(value), ownHeaders: headers, operation });

  test('a message is stored by the stream, with its type and its headers', async (t) => {
    const far = await outsider(t, server);
    const stream = await far.stream();
    const { it, context } = await openedEndpoint(t, { url: server.url, stream });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const sent = message(context, { subject: `${stream}.placed` }, { n: 1 }, { traceparent, 'nats-rollup': 'all' });
    assert.equal(await it.handle(sent), undefined);
    const stored = await far.manager.streams.getMessage(stream, { seq: 1 });
    assert.equal(stored?.subject, `${stream}.placed`);
    assert.deepEqual(stored?.json(), { n: 1 });
    const headers = Object.fromEntries([...(stored?.header ?? [])].map(([name, values]) => [name, values.join()]));
    assert.deepEqual(headers, { traceparent, 'content-type': 'application/json', 'Nats-Expected-Stream': stream });
  });

  test('the same `messageId` is stored once', async (t) => {
    const far = await outsider(t, server);
    const stream = await far.stream();
    const { it, context } = await openedEndpoint(t, { url: server.url, subject: `${stream}.x` });
    await it.handle(message(context, { messageId: 'a' }));
    await it.handle(message(context, { messageId: 'a' }));
    await it.handle(message(context, {}, 1, { 'idempotency-key': 'b' }));
    await it.handle(message(context, {}, 1, { 'idempotency-key': 'b' }));
    assert.equal((await far.manager.streams.info(stream)).state.messages, 2);
  });

  test('a message that comes too late for `expectLastSequence` is refused, for good', async (t) => {
    const far = await outsider(t, server);
    const stream = await far.stream();
    const { it, context } = await openedEndpoint(t, { url: server.url, subject: `${stream}.x` });
    await it.handle(message(context, { expectLastSequence: 0 }));
    await assert.rejects(it.handle(message(context, { expectLastSequence: 0 })), {
      code: 'refused',
      kind: 'permanent',
      message: /events did not take the message: wrong last sequence: 1/,
    });
  });

  test('a full stream refuses, for now', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    await far.manager.streams.add({ name: stream, subjects: [`${stream}.>`], max_msgs: 1, discard: 'new' });
    const { it, context } = await openedEndpoint(t, { url: server.url, subject: `${stream}.x` });
    await it.handle(message(context, {}));
    await assert.rejects(it.handle(message(context, {})), {
      code: 'refused',
      kind: 'transient',
      message: /maximum messages exceeded/,
    });
  });

  test('a subject that no stream stores is said, and nothing was sent', async (t) => {
    const { it, context } = await openedEndpoint(t, { url: server.url });
    await assert.rejects(it.handle(message(context, { subject: 'nobody.listens' })), {
      code: 'unroutable',
      kind: 'transient',
      facts: {
        endpoint: 'events',
        detail: 'no stream stores the subject `nobody.listens`: make one, or write `jetstream: false` for core NATS',
        sent: false,
      },
    });
  });

  test('another stream than the one that is expected is refused', async (t) => {
    const far = await outsider(t, server);
    const stream = await far.stream();
    const { it, context } = await openedEndpoint(t, { url: server.url, stream: 'OTHER' });
    await assert.rejects(it.handle(message(context, { subject: `${stream}.x` })), {
      code: 'refused',
      kind: 'permanent',
      message: /expected stream does not match/,
    });
  });

  test('a stream that is declared is made, also when it was deleted meanwhile and the connection is new', async (t) => {
    const far = await outsider(t, server);
    const proxy = await TcpProxy.before(server.port);
    t.after(() => proxy[Symbol.asyncDispose]());
    const stream = fresh();
    const declare = {
      subjects: [`${stream}.>`],
      storage: 'file',
      retention: 'limits',
      replicas: 1,
      duplicateWindow: 1000,
    } as const;
    const url = `nats://127.0.0.1:${proxy.port}`;
    const { it, context } = await openedEndpoint(t, { url, stream, declare, subject: `${stream}.x` });
    await it.handle(message(context, {}));
    await far.manager.streams.delete(stream);
    proxy.reset();
    await eventually('the connection is noticed to be lost', () => context.log.lines.length > 0);
    await it.handle(message(context, {}));
    assert.equal((await far.manager.streams.info(stream)).state.messages, 1);
  });

  test('core NATS: everybody who listens gets it; done when the server has it', async (t) => {
    const far = await outsider(t, server);
    const subject = fresh();
    const got: string[] = [];
    far.connection.subscribe(`${subject}.>`, { callback: (_, one) => void got.push(`${one.subject} ${one.string()}`) });
    await far.connection.flush();
    const { it, context } = await openedEndpoint(t, { url: server.url, jetstream: false });
    assert.equal(await it.handle(message(context, { subject: `${subject}.a` }, 'x')), undefined);
    await eventually('it came', () => got.length === 1);
    assert.deepEqual(got, [`${subject}.a x`]);
  });

  test('call: asks a service and takes its answer', async (t) => {
    const far = await outsider(t, server);
    const subject = fresh();
    const { headers } = await import('@nats-io/transport-node');
    far.connection.subscribe(subject, {
      queue: 'q',
      callback: (_, one) => {
        const answer = headers();
        answer.set('Content-Type', 'application/json');
        answer.set('X-By', 'svc');
        one.respond(JSON.stringify({ got: one.json() }), { headers: answer });
      },
    });
    await far.connection.flush();
    const { it, context } = await openedEndpoint(t, { url: server.url });
    const answer = await it.handle(message(context, { subject, answered: true }, { n: 2 }));
    assert.deepEqual(await answer?.value(), { got: { n: 2 } });
    assert.equal(answer?.headers['x-by'], 'svc');
    assert.deepEqual({ ...answer?.ownHeaders }, {});
    assert.equal(answer?.response?.endpoint, 'events');
  });

  test('call: nobody answers at once where nobody is there; a service that fails is an error', async (t) => {
    const far = await outsider(t, server);
    const subject = fresh();
    const { it, context } = await openedEndpoint(t, { url: server.url });
    await assert.rejects(it.handle(message(context, { subject, answered: true })), {
      code: 'unroutable',
      message: `events has nobody to give the message to: nobody answers at the subject \`${subject}\``,
    });
    const { headers } = await import('@nats-io/transport-node');
    far.connection.subscribe(subject, {
      callback: (_, one) => {
        const answer = headers();
        answer.set('Nats-Service-Error-Code', '404');
        answer.set('Nats-Service-Error', 'no such order');
        one.respond('', { headers: answer });
      },
    });
    await far.connection.flush();
    await assert.rejects(it.handle(message(context, { subject, answered: true })), {
      code: 'http-404',
      kind: 'permanent',
      facts: { endpoint: 'events', status: 404, detail: 'no such order' },
    });
  });

  test('call: a service that is silent is waited for until the call is given up', async (t) => {
    const far = await outsider(t, server);
    const subject = fresh();
    far.connection.subscribe(subject, { callback: () => {} });
    await far.connection.flush();
    const { it, context } = await openedEndpoint(t, { url: server.url });
    const { clock } = context;
    const life = new Life(clock, { deadline: clock.monotonic() + 50 });
    const waiting = it.handle(message(context, { subject, answered: true }).withLife(life));
    await assert.rejects(waiting, { code: 'deadline' });
  });

  test('no subject that is none goes to the server', async (t) => {
    const { it, context } = await openedEndpoint(t, { url: server.url });
    for (const subject of ['a.>', 'a.*', 'a b', 'a..b', '', 'a\r\nPUB b 0', {}, undefined]) {
      await assert.rejects(it.handle(message(context, { subject })), { code: 'bad-request' }, JSON.stringify(subject));
    }
  });

  test('a message that is larger than the server takes fails for good', async (t) => {
    const { it, context } = await openedEndpoint(t, { url: server.url, subject: 'x' });
    await assert.rejects(it.handle(message(context, {}, 'x'.repeat(2_000_000))), {
      code: 'bad-request',
      message: /larger than events takes/,
    });
  });

  test('while there is no connection a call waits for it, and was not sent when its time is over', async (t) => {
    const far = await outsider(t, server);
    const stream = await far.stream();
    const proxy = await TcpProxy.before(server.port);
    t.after(() => proxy[Symbol.asyncDispose]());
    await proxy.down();
    const url = `nats://127.0.0.1:${proxy.port}`;
    const { it, context } = await openedEndpoint(t, { url, subject: `${stream}.x` });
    assert.equal(it.ready, false);
    const { clock } = context;
    const life = new Life(clock, { deadline: clock.monotonic() + 50 });
    await assert.rejects(it.handle(message(context, {}).withLife(life)), {
      code: 'connection',
      message: 'events could not be reached: nobody listens there (ECONNREFUSED)',
      facts: { endpoint: 'events', detail: 'nobody listens there (ECONNREFUSED)', sent: false },
    });
    const patient = it.handle(message(context, {}));
    await proxy.up();
    await patient;
    assert.equal(it.ready, true);
    assert.equal((await far.manager.streams.info(stream)).state.messages, 1);
    assert.deepEqual(
      context.log.lines.map((line) => `${line.level} ${line.message}`),
      ['warn not connected; it is tried again', 'info connected'],
    );
  });

  test('a connection that falls silent is given up, and what was under way has an unknown outcome', async (t) => {
    const far = await outsider(t, server);
    const stream = await far.stream();
    const proxy = await TcpProxy.before(server.port);
    t.after(() => proxy[Symbol.asyncDispose]());
    const url = `nats://127.0.0.1:${proxy.port}`;
    const { it, context } = await openedEndpoint(t, { url, subject: `${stream}.x`, heartbeat: 100 });
    await it.handle(message(context, {}));
    proxy.mute();
    await assert.rejects(it.handle(message(context, {})), (thrown: { code: string; facts: { sent: boolean } }) => {
      assert.equal(thrown.code, 'connection');
      assert.equal(thrown.facts.sent, true);
      return true;
    });
    await it.handle(message(context, {}));
    assert.equal(it.ready, true);
  });
});
