import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Body, type Deliver } from '#sdk';
import { withPackage } from '../../support/debian-server.ts';
import { eventually } from '../../support/eventually.ts';
import { NatsServer, natsProgram } from '../../support/nats-server.ts';
import { outgoing } from '../../support/plain-context.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { openedEndpoint, openedSource, outsider } from './support.ts';

/** Counts how often the effect of each message happened. */
function counting() {
  const effects = new Map<number, number>();
  const deliver: Deliver = async (message) => {
    const n = Number(
      await message.body.value({
        defaultType: '',
        read: (bytes) => JSON.parse(String(Buffer.from(bytes))),
        write: () => ({ bytes: '', contentType: '' }),
      }),
    );
    await new Promise((resolve) => setImmediate(resolve));
    effects.set(n, (effects.get(n) ?? 0) + 1);
    return undefined;
  };
  return { effects, deliver };
}

withPackage('nats-server', natsProgram, 'nats: nothing is lost', () => {
  test('over resets and a silent network: each message once, as the process lives on', async (t) => {
    await using server = await NatsServer.start();
    await using proxy = await TcpProxy.before(server.port);
    const far = await outsider(t, server);
    const stream = await far.stream();
    const url = `nats://127.0.0.1:${proxy.port}`;
    const { effects, deliver } = counting();
    const options = { url, stream, consumer: 'c', heartbeat: 200, ackWait: 3_000, prefetch: 10 };
    await openedSource(t, options, { deliver, concurrency: 5 });
    const publisher = await openedEndpoint(t, { url, subject: `${stream}.x`, heartbeat: 200 });
    const total = 400;
    let sent = 0;
    const publish = async (): Promise<void> => {
      for (let n = sent++; n < total; n = sent++) {
        const message = outgoing(publisher.context, { body: Body.value(n), operation: { messageId: `${n}` } });
        // Whether it arrived is not known when the connection goes: the stream knows a repeat by its id.
        while (
          !(await publisher.it.handle(message).then(
            () => true,
            () => false,
          ))
        );
      }
    };
    const publishing = Promise.all([publish(), publish(), publish(), publish()]);
    for (let round = 1; round <= 4; round++) {
      await eventually('it goes on', () => effects.size >= (total / 6) * round);
      if (round % 2) proxy.reset();
      else proxy.mute();
    }
    await publishing;
    await eventually('all had their effect', () => effects.size === total, 20_000);
    await eventually('all are acknowledged', async () => (await far.unacknowledged(stream, 'c')) === 0);
    const twice = [...effects.values()].filter((times) => times > 1).length;
    assert.equal(twice, 0, `${twice} had their effect twice`);
  });

  test('over a server that is killed and started again: none lost, twice at most what was under way', async (t) => {
    await using server = await NatsServer.start();
    const far = await outsider(t, server);
    const stream = await far.stream();
    const { effects, deliver } = counting();
    const prefetch = 10;
    const options = { url: server.url, stream, consumer: 'c', ackWait: 2_000, prefetch };
    const { it } = await openedSource(t, options, { deliver, concurrency: 5 });
    const publisher = await openedEndpoint(t, { url: server.url, subject: `${stream}.x` });
    const total = 300;
    const kills = 2;
    let killed = 0;
    for (let n = 0; n < total; n++) {
      const message = outgoing(publisher.context, { body: Body.value(n), operation: { messageId: `${n}` } });
      if (n === (killed + 1) * 100 && killed < kills) {
        killed++;
        await server.kill();
        await server.start();
      }
      while (
        !(await publisher.it.handle(message).then(
          () => true,
          () => false,
        ))
      );
    }
    await eventually('all had their effect', () => effects.size === total, 20_000);
    await eventually('it is ready', () => it.ready === true);
    const twice = [...effects.values()].reduce((sum, times) => sum + times - 1, 0);
    assert.ok(twice <= kills * prefetch, `${twice} had their effect twice`);
  });
});
