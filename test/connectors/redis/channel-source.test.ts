import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { withPackage } from '../../support/debian-server.ts';
import { eventually } from '../../support/eventually.ts';
import { plainCodec } from '../../support/plain-context.ts';
import { RedisServer, redisProgram } from '../../support/redis-server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { fresh, ManualFlow, openedSource, outsider } from './support.ts';

withPackage('redis-server', redisProgram, 'redis source of channels', () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server[Symbol.asyncDispose]());

  test('takes what is published to its channels and patterns, `concurrency` at a time, in order', async (t) => {
    const far = await outsider(t, server);
    const name = fresh('channel');
    const flow = new ManualFlow();
    const options = { url: server.url, channels: [`${name}:a`], patterns: [`${name}:b*`] };
    const { it } = await openedSource(t, options, { deliver: flow.deliver, concurrency: 2 });
    assert.equal(it.ready, true);
    for (const channel of ['a', 'b1', 'c', 'b2']) await far.command('PUBLISH', `${name}:${channel}`, channel);
    await eventually('two came', () => flow.deliveries.length === 2);
    flow.at(0).resolve();
    await eventually('the third came', () => flow.deliveries.length === 3);
    const texts = await Promise.all(
      flow.deliveries.map(async (one) => String(await one.message.body.bytes(plainCodec))),
    );
    assert.deepEqual(texts, ['a', 'b1', 'b2']);
    assert.deepEqual(flow.sources(), [
      { channel: `${name}:a` },
      { channel: `${name}:b1`, pattern: `${name}:b*` },
      { channel: `${name}:b2`, pattern: `${name}:b*` },
    ]);
    for (const one of flow.deliveries) one.resolve();
  });

  test('more than may wait is dropped, and that is said with its number', async (t) => {
    const far = await outsider(t, server);
    const channel = fresh('channel');
    const flow = new ManualFlow();
    const options = { url: server.url, channels: [channel], capacity: 3 };
    const { it, context } = await openedSource(t, options, { deliver: flow.deliver });
    // All in one piece.
    await far.command('EVAL', "for n = 1, 10 do redis.call('PUBLISH', KEYS[1], n) end", '1', channel);
    await eventually('a drop is said', () => context.log.lines.length > 0);
    for (let n = 0; n < 4; n++) {
      await eventually('the next one comes', () => flow.deliveries.length === n + 1);
      flow.at(n).resolve();
    }
    await it.stop();
    await it.close();
    await it.close();
    const counts = context.log.lines.map((line) => Number(line.fields['dropped']));
    assert.equal(
      counts.reduce((sum, one) => sum + one, 0),
      6,
    );
  });

  test('a connection that is cut or falls silent is made again, and listens again', async (t) => {
    await using proxy = await TcpProxy.before(server.port);
    const far = await outsider(t, server);
    const channel = fresh('channel');
    const flow = new ManualFlow();
    const options = { url: `redis://127.0.0.1:${proxy.port}`, channels: [channel], heartbeat: 150 };
    const { it, context } = await openedSource(t, options, { deliver: flow.record });
    for (const harm of [() => proxy.reset(), () => proxy.mute()]) {
      const lines = context.log.lines.length;
      const came = flow.deliveries.length;
      harm();
      await eventually('it is lost and there again', () => context.log.lines.length >= lines + 2 && it.ready === true);
      await far.command('PUBLISH', channel, 'x');
      await eventually('it came', () => flow.deliveries.length > came);
    }
  });
});
