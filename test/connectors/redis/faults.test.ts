import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Body, type Deliver } from '#sdk';
import { withPackage } from '../../support/debian-server.ts';
import { eventually } from '../../support/eventually.ts';
import { outgoing, plainCodec } from '../../support/plain-context.ts';
import { RedisServer, redisProgram } from '../../support/redis-server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { fresh, openedEndpoint, openedSource, outsider } from './support.ts';

/** Counts how often the effect of each message happened. */
function counting() {
  const effects = new Map<number, number>();
  const deliver: Deliver = async (message) => {
    const n = Number(await message.body.value(plainCodec));
    await new Promise((resolve) => setImmediate(resolve));
    effects.set(n, (effects.get(n) ?? 0) + 1);
    return undefined;
  };
  return { effects, deliver };
}

withPackage('redis-server', redisProgram, 'redis: nothing is lost', () => {
  test('over resets, a silent network and a server that is killed: each entry has its effect once', async (t) => {
    await using server = await RedisServer.start();
    await using proxy = await TcpProxy.before(server.port);
    const far = await outsider(t, server);
    const stream = fresh();
    const url = `redis://127.0.0.1:${proxy.port}`;
    const { effects, deliver } = counting();
    const options = { url, stream, group: 'g', consumer: 'c', heartbeat: 200, claimAfter: 3_000, prefetch: 10 };
    const { it } = await openedSource(t, options, { deliver, concurrency: 5 });
    const publisher = await openedEndpoint(t, { url, stream, heartbeat: 200 });
    const total = 400;
    const harms = [
      () => proxy.reset(),
      () => proxy.mute(),
      async () => {
        await server.kill();
        await server.start();
      },
      () => proxy.reset(),
    ];
    // What was added, outcome unknown, is added again: as two entries, which the server cannot know to be one.
    const unknown = new Set<number>();
    for (let n = 0; n < total; n++) {
      if (n > 0 && n % 80 === 0) await harms[n / 80 - 1]?.();
      const message = outgoing(publisher.context, { body: Body.value(n) });
      const told = (): Promise<boolean> =>
        publisher.it.handle(message).then(
          () => true,
          (thrown: { readonly facts: { readonly sent: boolean } }) => {
            if (thrown.facts.sent) unknown.add(n);
            return false;
          },
        );
      while (!(await told()));
    }
    await eventually('all had their effect', () => effects.size === total, 20_000);
    await eventually('all are acknowledged', async () => (await far.pending(stream, 'g')) === 0, 20_000);
    assert.equal(it.ready, true);
    const twice = [...effects].filter(([n, times]) => times > 1 && !unknown.has(n));
    assert.deepEqual(twice, []);
  });
});
