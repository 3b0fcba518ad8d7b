import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { failure } from '../../../src/errors.ts';
import { withPackage } from '../../support/debian-server.ts';
import { eventually } from '../../support/eventually.ts';
import { MosquittoServer, mosquittoProgram } from '../../support/mosquitto-server.ts';
import { sharing } from '../../support/plain-context.ts';
import { acknowledged, beginSession, opened, stranger } from './support.ts';

withPackage('mosquitto', mosquittoProgram, 'mqtt source', () => {
  let broker: MosquittoServer;
  let names = 0;
  /** A topic and a client id of a test's own. */
  const fresh = (): string => `s${++names}`;
  before(async () => {
    broker = await MosquittoServer.start({ settings: () => ['max_inflight_messages 0'] });
  });
  after(() => broker[Symbol.asyncDispose]());

  /** Publishes in order, each taken by the broker before the next. */
  const publish = async (topic: string, texts: readonly string[], options: object = { qos: 1 }): Promise<void> => {
    const client = await stranger(broker);
    for (const text of texts) await client.publishAsync(topic, text, options);
    await client.endAsync();
  };

  test('a message comes with its topic, what the wildcards stood for, and what else its sender said', async (t) => {
    const clientId = fresh();
    const { flow } = await opened(t, { url: broker.url, topics: [`${clientId}/+/t/#`], clientId });
    const client = await stranger(broker);
    await client.publishAsync(`${clientId}/a/t/x/y`, '<a/>', {
      qos: 1,
      properties: {
        contentType: 'application/xml',
        responseTopic: 'answers/here',
        correlationData: Buffer.from('k-1'),
        messageExpiryInterval: 60,
        userProperties: { TraceParent: '00-1', tag: ['a', 'b'] },
      },
    });
    await client.endAsync();
    await eventually('it is there', () => flow.deliveries.length === 1);
    const { body, headers, origin, key } = flow.at(0).message;
    const { packetId, messageExpiry, ...source } = origin.source ?? {};
    assert.equal(typeof packetId, 'number');
    assert.ok(Number(messageExpiry) > 50_000 && Number(messageExpiry) <= 60_000, String(messageExpiry));
    assert.deepEqual(source, {
      topic: `${clientId}/a/t/x/y`,
      filter: `${clientId}/+/t/#`,
      wildcards: ['a', 'x/y'],
      qos: 1,
      retain: false,
      duplicate: false,
      clientId,
      responseTopic: 'answers/here',
      correlationData: 'k-1',
    });
    assert.deepEqual({ ...headers }, { traceparent: '00-1', tag: ['a', 'b'], 'content-type': 'application/xml' });
    assert.equal(body.contentType, 'application/xml');
    assert.equal(key, undefined);
  });

  for (const version of [5, '3.1.1'] as const) {
    test(`MQTT ${version}: as many messages are worked on at once as the flow allows`, async (t) => {
      const clientId = fresh();
      const { flow } = await opened(t, { url: broker.url, topics: [clientId], clientId, version }, { concurrency: 30 });
      await publish(
        clientId,
        Array.from({ length: 30 }, (_, index) => String(index)),
      );
      // None of them is done: with one after the other there would be one.
      await eventually('all are handed over', () => flow.deliveries.length === 30);
      assert.deepEqual(acknowledged(broker, clientId), []);
    });

    test(`MQTT ${version}: acknowledged in the order in which they came, each only when it and those before are done`, async (t) => {
      const clientId = fresh();
      const { flow } = await opened(t, { url: broker.url, topics: [clientId], clientId, version });
      await publish(clientId, ['a', 'b', 'c', 'd']);
      await eventually('all are handed over', () => flow.deliveries.length === 4);
      const ids = flow.sources().map((source) => source?.['packetId']);
      for (const index of [3, 1]) flow.at(index).resolve();
      flow.at(0).resolve();
      await eventually('the first two are acknowledged', () => acknowledged(broker, clientId).length === 2);
      assert.deepEqual(acknowledged(broker, clientId), ids.slice(0, 2));
      flow.at(2).resolve();
      await eventually('all are acknowledged', () => acknowledged(broker, clientId).length === 4);
      assert.deepEqual(acknowledged(broker, clientId), ids);
    });

    test(`MQTT ${version}: a handler that takes longer than the keepalive does not lose the connection`, async (t) => {
      const clientId = fresh();
      // More than it takes at once, so that under 3.1.1 it must stop reading meanwhile.
      const { flow, source } = await opened(t, {
        url: broker.url,
        topics: [clientId],
        clientId,
        version,
        keepalive: 1000,
        receiveMaximum: 2,
      });
      await publish(clientId, ['1', '2', '3', '4', '5']);
      await eventually('two are handed over', () => flow.deliveries.length === 2);
      const pings = (): number => broker.log.split(`Received PINGREQ from ${clientId}`).length - 1;
      // The broker gives a silent client up after 1.5 s: four of its pings are more than that.
      await eventually('it has shown four times that it lives', () => pings() >= 4);
      assert.equal(source.ready, true);
      assert.equal(flow.deliveries.length, 2);
      for (let done = 0; done < 5; done++) {
        await eventually('the next is handed over', () => flow.deliveries.length > done);
        flow.at(done).resolve();
      }
      await eventually('all are acknowledged', () => acknowledged(broker, clientId).length === 5);
      assert.equal(broker.log.split(`as ${clientId} `).length - 1, 1, 'it connected once');
      assert.deepEqual(
        flow.deliveries.map(({ message }) => message.origin.attempt),
        [1, 1, 1, 1, 1],
      );
    });
  }

  test('what was sent while the source was away comes when it is back, in order', async (t) => {
    const clientId = fresh();
    const first = await opened(t, { url: broker.url, topics: [clientId], clientId });
    await first.end();
    await publish(clientId, ['1', '2', '3']);
    const second = await opened(t, { url: broker.url, topics: [clientId], clientId });
    await eventually('all are there', () => second.flow.deliveries.length === 3);
    assert.deepEqual(await second.texts(), ['1', '2', '3']);
  });

  test('a retained message comes once, not at each start', async (t) => {
    const clientId = fresh();
    await publish(clientId, ['kept'], { qos: 1, retain: true });
    const options = { url: broker.url, topics: [clientId], clientId };
    const first = await opened(t, options);
    await eventually('it is there', () => first.flow.deliveries.length === 1);
    assert.equal(first.flow.sources()[0]?.['retain'], true);
    await first.end();
    const second = await opened(t, options);
    await publish(clientId, ['new']);
    await eventually('the new one is there', () => second.flow.deliveries.length > 0);
    assert.deepEqual(await second.texts(), ['new']);
  });

  test('members of a group share the messages, each gets another part', async (t) => {
    const topic = fresh();
    const member = (number: number) =>
      opened(t, { url: broker.url, topics: [topic], share: 'workers', clientId: `${topic}-${number}` });
    const [one, two] = [await member(1), await member(2)];
    const texts = Array.from({ length: 20 }, (_, index) => String(index));
    await publish(topic, texts);
    await eventually('all are there', () => one.flow.deliveries.length + two.flow.deliveries.length === 20);
    assert.ok(one.flow.deliveries.length > 0 && two.flow.deliveries.length > 0);
    const all = [...(await one.texts()), ...(await two.texts())];
    assert.deepEqual(all.toSorted(), texts.toSorted());
    assert.equal(one.flow.sources()[0]?.['filter'], topic);
  });

  test('QoS 0: more than may wait are dropped, counted and logged; nothing is kept for a source that is away', async (t) => {
    const topic = fresh();
    const { flow, context, end } = await opened(t, { url: broker.url, topics: [topic], qos: 0, capacity: 3 });
    await publish(topic, ['1', '2', '3', '4', '5'], { qos: 0 });
    await eventually('three wait, the rest is dropped', () => context.log.lines.some(({ level }) => level === 'warn'));
    await end();
    assert.equal(flow.deliveries.length, 3);
    const lines = context.log.lines.filter(({ message }) => message === 'Messages of QoS 0 were dropped');
    const dropped = lines.reduce((sum, { fields }) => sum + Number(fields['messages']), 0);
    assert.deepEqual([dropped, lines.at(-1)?.fields['total']], [2, 2]);
    assert.equal(lines[0]?.fields['detail'], 'the queue is full');
  });

  test('QoS 2 is subscribed as QoS 1, and the log says what to do about repeats', async (t) => {
    const clientId = fresh();
    const { flow, context } = await opened(t, { url: broker.url, topics: [clientId], clientId, qos: 2 });
    await publish(clientId, ['x'], { qos: 2 });
    await eventually('it is there', () => flow.deliveries.length === 1);
    assert.equal(flow.sources()[0]?.['qos'], 1);
    assert.ok(context.log.lines.some(({ message }) => /idempotent/.test(message)));
  });

  test('messages of QoS 2 that a session of another program still holds are acknowledged when they are done', async (t) => {
    const clientId = fresh();
    await beginSession(broker, clientId, [clientId], 2);
    await publish(clientId, ['1', '2'], { qos: 2 });
    const { flow, context } = await opened(t, { url: broker.url, topics: [clientId], clientId });
    await eventually('both are there at once', () => flow.deliveries.length === 2);
    const received = (): number => broker.log.split(`Received PUBREC from ${clientId}`).length - 1;
    assert.equal(received(), 0);
    flow.at(1).resolve();
    flow.at(0).resolve();
    await eventually(
      'the exchange is complete',
      () => broker.log.split(`Received PUBCOMP from ${clientId}`).length === 3,
    );
    assert.equal(received(), 2);
    assert.deepEqual(
      context.log.lines.filter(({ level }) => level === 'warn'),
      [],
    );
  });

  test('a topic that an earlier definition subscribed to still comes, and the log says why, once', async (t) => {
    const clientId = fresh();
    await beginSession(broker, clientId, [`${clientId}/old`]);
    const { flow, context } = await opened(t, { url: broker.url, topics: [`${clientId}/new`], clientId });
    await publish(`${clientId}/old`, ['1', '2']);
    await eventually('both are there', () => flow.deliveries.length === 2);
    const said = context.log.lines.filter(({ level }) => level === 'warn');
    assert.equal(said.length, 1);
    assert.equal(said[0]?.fields['topic'], `${clientId}/old`);
    assert.match(String(said[0]?.message), /earlier definition.*new `clientId`/);
  });

  test('a reload keeps the connection: what is under way is finished, what comes goes to the new version, which may have other topics', async (t) => {
    const clientId = fresh();
    const { share } = sharing();
    const options = { url: broker.url, clientId };
    const old = await opened(t, { ...options, topics: [`${clientId}/a`, `${clientId}/b`] }, { share });
    await publish(`${clientId}/a`, ['1', '2', '3']);
    await eventually('the old one has them', () => old.flow.deliveries.length === 3);
    const next = await opened(t, { ...options, topics: [`${clientId}/b`, `${clientId}/c`] }, { share });
    await old.source.stop();
    old.flow.at(0).resolve();
    // Not begun: it goes back, and on to the new version.
    old.flow.at(1).reject(failure('stopping', {}, { kind: 'cancelled' }));
    old.flow.at(2).resolve();
    await old.source.close();
    await publish(`${clientId}/c`, ['4']);
    await eventually('the new one has the rest', () => next.flow.deliveries.length === 2);
    assert.deepEqual(await next.texts(), ['2', '4']);
    await publish(`${clientId}/a`, ['nobody wants it']);
    await publish(`${clientId}/b`, ['5']);
    await eventually('the next one is there', () => next.flow.deliveries.length === 3);
    assert.deepEqual((await next.texts())[2], '5');
    for (const one of next.flow.deliveries) one.resolve();
    await eventually('all are acknowledged', () => acknowledged(broker, clientId).length === 5);
    assert.equal(broker.log.split(`as ${clientId} `).length - 1, 1, 'it connected once');
  });

  test('two clients of one name throw each other out: the log says so in one line, not at every turn', async (t) => {
    const clientId = fresh();
    const options = { url: broker.url, topics: [clientId], clientId };
    const members = [await opened(t, options), await opened(t, options)];
    const warnings = () => members.map(({ context }) => context.log.lines.filter(({ level }) => level === 'warn'));
    const hint = new RegExp(`soon after it was opened, again and again: does another client use.*\`${clientId}\``);
    const hints = () =>
      warnings()
        .flat()
        .filter(({ fields }) => hint.test(String(fields['detail'])));
    await eventually('both have said it', () => hints().length === 2);
    const connected = (): number => broker.log.split(`as ${clientId} `).length - 1;
    const turns = connected();
    await eventually('it went on', () => connected() >= turns + 2, 20_000);
    assert.ok(
      warnings().every((lines) => lines.length <= 2),
      JSON.stringify(warnings()),
    );
  });
});
