import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { withPackage } from '../../support/debian-server.ts';
import { eventually } from '../../support/eventually.ts';
import { MosquittoServer, mosquittoProgram } from '../../support/mosquitto-server.ts';
import { plainCodec } from '../../support/plain-context.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { acknowledged, beginSession, opened, stranger } from './support.ts';

withPackage('mosquitto', mosquittoProgram, 'mqtt source, when things break', () => {
  let broker: MosquittoServer;
  let names = 0;
  const fresh = (): string => `f${++names}`;
  before(async () => {
    broker = await MosquittoServer.start({ settings: () => ['max_inflight_messages 0'] });
  });
  after(() => broker[Symbol.asyncDispose]());

  const publish = async (topic: string, texts: readonly string[]): Promise<void> => {
    const client = await stranger(broker);
    await Promise.all(texts.map((text) => client.publishAsync(topic, text, { qos: 1 })));
    await client.endAsync();
  };

  for (const version of [5, '3.1.1'] as const) {
    test(`MQTT ${version}: a connection that is reset: what is under way goes on, is not handed over twice, and is acknowledged on the next one`, async (t) => {
      const clientId = fresh();
      await using proxy = await TcpProxy.before(broker.port);
      const { flow, source, texts } = await opened(t, {
        url: `mqtt://127.0.0.1:${proxy.port}`,
        topics: [clientId],
        clientId,
        version,
      });
      await publish(clientId, ['1', '2', '3']);
      await eventually('all are there', () => flow.deliveries.length === 3);
      // Done, but its turn to be acknowledged has not come.
      flow.at(1).resolve();
      const times = (): number => broker.log.split(`as ${clientId} `).length - 1;
      const before = times();
      proxy.reset();
      await eventually('it is connected again', () => times() > before && source.ready === true);
      // Done while there was no connection or on the new one: whichever it is.
      flow.at(0).resolve();
      flow.at(2).resolve();
      await eventually('all are acknowledged', () => acknowledged(broker, clientId).length === 3);
      await publish(clientId, ['4']);
      await eventually('the next one is there', () => flow.deliveries.length > 3);
      assert.deepEqual(await texts(), ['1', '2', '3', '4']);
      assert.equal(flow.at(3).message.origin.attempt, 1);
    });
  }

  test('after a crash of the process what was not acknowledged comes again, as a second attempt', async (t) => {
    const clientId = fresh();
    await beginSession(broker, clientId, [clientId]);
    // Somebody who takes it and dies over it.
    const first = await stranger(broker, {
      clientId,
      clean: false,
      reconnectPeriod: 0,
      properties: { sessionExpiryInterval: 3600 },
      manualConnect: false,
    });
    first.handleMessage = () => first.stream.destroy();
    await publish(clientId, ['1']);
    await eventually('it is dead', () => !first.connected);
    const { flow } = await opened(t, { url: broker.url, topics: [clientId], clientId });
    await eventually('it is there', () => flow.deliveries.length === 1);
    const { origin } = flow.at(0).message;
    assert.deepEqual([origin.attempt, origin.source?.['duplicate']], [2, true]);
  });

  test('a peer that falls silent is given up after the keepalive, and messages come over the next connection', async (t) => {
    const clientId = fresh();
    await using proxy = await TcpProxy.before(broker.port);
    const { flow, context } = await opened(t, {
      url: `mqtt://127.0.0.1:${proxy.port}`,
      topics: [clientId],
      clientId,
      keepalive: 1000,
    });
    proxy.mute();
    await publish(clientId, ['1']);
    await eventually('it is there', () => flow.deliveries.length === 1);
    assert.ok(context.log.lines.some(({ fields }) => fields['detail'] === 'the broker does not answer any more'));
  });

  test('a connection that breaks again and again while the flow is slow: no more are handed over than may be', async (t) => {
    const clientId = fresh();
    await using proxy = await TcpProxy.before(broker.port);
    const url = `mqtt://127.0.0.1:${proxy.port}`;
    const { flow } = await opened(t, { url, topics: [clientId], clientId, receiveMaximum: 5 });
    const said = (what: string): number => broker.log.split(what).length - 1;
    await publish(
      clientId,
      Array.from({ length: 30 }, (_, n) => String(n)),
    );
    await eventually('so many as may be are there', () => flow.deliveries.length === 5);
    for (let round = 0; round < 2; round++) {
      // A broker that forgets the session gives what comes then as new messages.
      const subscribed = said(`Sending SUBACK to ${clientId}`);
      const thief = await stranger(broker, { clientId, clean: true, reconnectPeriod: 0 });
      await thief.endAsync(true);
      await eventually('it has subscribed again', () => said(`Sending SUBACK to ${clientId}`) > subscribed);
      await publish(
        clientId,
        Array.from({ length: 30 }, (_, n) => `${round} ${n}`),
      );
      const greeted = said(`Sending CONNACK to ${clientId}`);
      proxy.reset();
      await eventually('it is connected again', () => said(`Sending CONNACK to ${clientId}`) > greeted);
    }
    assert.equal(flow.deliveries.length, 5);
    for (let done = 0; done < 35; done++) {
      await eventually('the next is handed over', () => flow.deliveries.length > done);
      assert.ok(flow.deliveries.length - done <= 5);
      flow.at(done).resolve();
    }
  });

  test('the broker is killed and started again: nothing that it had is lost, whatever was under way', async (t) => {
    const clientId = fresh();
    await using own = await MosquittoServer.start();
    const done = new Set<string>();
    const { source } = await opened(
      t,
      { url: own.url, topics: [clientId], clientId },
      {
        concurrency: 10,
        deliver: async ({ body }) => {
          done.add(Buffer.from((await body.bytes(plainCodec)) as Uint8Array).toString());
          return undefined;
        },
      },
    );
    const sent: string[] = [];
    for (let round = 0; round < 2; round++) {
      const client = await stranger(own);
      const texts = Array.from({ length: 200 }, (_, n) => `${round}-${n}`);
      await Promise.all(texts.map((text) => client.publishAsync(clientId, text, { qos: 1 })));
      sent.push(...texts);
      await client.endAsync();
      // What Mosquitto has acknowledged it writes to the disk a moment later: its own promise, not ours.
      await own.save();
      await own.kill();
      await eventually('it is noticed', () => source.ready === false);
      await own.start();
      await eventually('it is connected again', () => source.ready === true);
    }
    await eventually('all are done', () => done.size === sent.length);
  });
});
