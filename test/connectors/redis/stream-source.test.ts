import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { failure } from '#sdk';
import { Connection } from '../../../connectors/redis/connection.ts';
import { Group } from '../../../connectors/redis/group.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { withPackage } from '../../support/debian-server.ts';
import { eventually } from '../../support/eventually.ts';
import { plainCodec, plainContext, sharing } from '../../support/plain-context.ts';
import { RedisServer, redisProgram } from '../../support/redis-server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { fresh, ManualFlow, openedSource, outsider, sourceOptions } from './support.ts';

const stopping = () => failure('stopping', {}, { kind: 'cancelled' });

withPackage('redis-server', redisProgram, 'redis source of a stream', () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start('--appendfsync', 'everysec');
  });
  after(() => server[Symbol.asyncDispose]());

  const given = async (flow: ManualFlow, count: number): Promise<void> =>
    eventually(`${count} deliveries`, () => flow.deliveries.length >= count);

  const idsOf = (flow: ManualFlow): readonly unknown[] => flow.sources().map((one) => one?.['id']);

  test('an entry has its body, the other fields as headers, and what is known about it', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    const id = await far.command(
      'XADD',
      stream,
      '1700000000000-5',
      'body',
      'hello',
      'Content-Type',
      'text/plain',
      'X-Tag',
      'ä',
    );
    const flow = new ManualFlow();
    await openedSource(t, { url: server.url, stream, group: 'g', consumer: 'c' }, { deliver: flow.deliver });
    await given(flow, 1);
    const { body, headers, origin, key } = flow.at(0).message;
    assert.equal(String(await body.bytes(plainCodec)), 'hello');
    assert.equal(body.contentType, 'text/plain');
    assert.deepEqual({ ...headers }, { 'content-type': 'text/plain', 'x-tag': 'ä' });
    assert.equal(key, `${stream}/${id}`);
    assert.equal(origin.attempt, 1);
    assert.deepEqual(origin.source, {
      stream,
      group: 'g',
      consumer: 'c',
      id: '1700000000000-5',
      deliveryCount: 1,
      timestamp: '2023-11-14T22:13:20.000Z',
    });
    flow.at(0).resolve();
    await eventually('it is acknowledged', async () => (await far.pending(stream, 'g')) === 0);
  });

  test('an entry without the field of the body is a map of all its fields', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    await far.command('XADD', stream, '*', 'sku', 'tea', '__proto__', 'x', 'n', '2');
    const flow = new ManualFlow();
    await openedSource(t, { url: server.url, stream }, { deliver: flow.record });
    await given(flow, 1);
    const { body, headers, origin } = flow.at(0).message;
    assert.equal(String(await body.bytes(plainCodec)), '{"sku":"tea","__proto__":"x","n":"2"}');
    assert.deepEqual({ ...headers }, {});
    assert.equal(origin.source?.['group'], 'test-flow');
  });

  test('bytes that are no text arrive as they are', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    const bytes = Buffer.from([0, 255, 128, 13, 10]);
    await far.client.sendCommand(['XADD', stream, '*', 'payload', bytes]);
    const flow = new ManualFlow();
    await openedSource(t, { url: server.url, stream, bodyField: 'payload' }, { deliver: flow.record });
    await given(flow, 1);
    assert.deepEqual(await flow.at(0).message.body.bytes(plainCodec), bytes);
  });

  test('members of a group share the entries; each group gets all', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    const flows = [new ManualFlow(), new ManualFlow(), new ManualFlow()] as const;
    for (const [index, flow] of flows.entries()) {
      const group = index === 2 ? 'other' : 'same';
      await openedSource(t, { url: server.url, stream, group, prefetch: 5 }, { deliver: flow.record });
    }
    await far.put(stream, ...Array.from({ length: 60 }, (_, n) => n));
    await eventually('all came', () => flows[0].deliveries.length + flows[1].deliveries.length === 60);
    assert.equal(new Set([...idsOf(flows[0]), ...idsOf(flows[1])]).size, 60);
    assert.ok(flows[0].deliveries.length > 0 && flows[1].deliveries.length > 0);
    await given(flows[2], 60);
  });

  test('where a new group begins: all, new, behind an id', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    for (const n of [1, 2, 3]) await far.command('XADD', stream, `${n}-1`, 'body', '1');
    const starts = { all: ['1-1', '2-1', '3-1', '4-1'], new: ['4-1'], '2-1': ['3-1', '4-1'] };
    const flows = new Map<string, ManualFlow>();
    for (const start of Object.keys(starts)) {
      const flow = new ManualFlow();
      flows.set(start, flow);
      await openedSource(t, { url: server.url, stream, group: `from-${start}`, start }, { deliver: flow.record });
    }
    await far.command('XADD', stream, '4-1', 'body', '1');
    for (const [start, ids] of Object.entries(starts)) {
      const flow = flows.get(start) ?? new ManualFlow();
      await given(flow, ids.length);
      assert.deepEqual(idsOf(flow), ids);
    }
  });

  test('an entry that takes much longer than `claimAfter` is not taken by anybody else', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    const flow = new ManualFlow();
    const other = new ManualFlow();
    const options = { url: server.url, stream, group: 'g', claimAfter: 500 };
    await openedSource(t, options, { deliver: flow.deliver });
    await far.put(stream, 1);
    await given(flow, 1);
    await openedSource(t, options, { deliver: other.record });
    const since = performance.now();
    await eventually('four times as long', () => performance.now() - since > 2_000);
    assert.equal(other.deliveries.length, 0);
    flow.at(0).resolve();
    await eventually('it is acknowledged', async () => (await far.pending(stream, 'g')) === 0);
    assert.equal(flow.deliveries.length, 1);
  });

  test('what a dead member had goes to another one when it has been silent, as the next attempt', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    await far.command('XGROUP', 'CREATE', stream, 'g', '0', 'MKSTREAM');
    await far.put(stream, 1, 2, 3);
    // It dies over two of them, again and again over the first.
    await far.command('XREADGROUP', 'GROUP', 'g', 'dead', 'COUNT', '2', 'STREAMS', stream, '>');
    await far.command('XREADGROUP', 'GROUP', 'g', 'dead', 'COUNT', '1', 'STREAMS', stream, '0');
    const flow = new ManualFlow();
    await openedSource(t, { url: server.url, stream, group: 'g', claimAfter: 500 }, { deliver: flow.record });
    await given(flow, 3);
    assert.deepEqual(flow.deliveries.map((one) => one.message.origin.attempt).sort(), [1, 2, 3]);
    await eventually('all are acknowledged', async () => (await far.pending(stream, 'g')) === 0);
  });

  test('a member with a name goes on at once with what it had before it died', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    await far.command('XGROUP', 'CREATE', stream, 'g', '0', 'MKSTREAM');
    await far.put(stream, ...Array.from({ length: 30 }, (_, n) => n));
    await far.command('XREADGROUP', 'GROUP', 'g', 'me', 'COUNT', '25', 'STREAMS', stream, '>');
    const flow = new ManualFlow();
    const options = { url: server.url, stream, group: 'g', consumer: 'me', prefetch: 10, claimAfter: 60_000 };
    await openedSource(t, options, { deliver: flow.record });
    await given(flow, 30);
    const attempts = flow.deliveries.map((one) => one.message.origin.attempt);
    assert.deepEqual(attempts, [...Array(25).fill(2), ...Array(5).fill(1)]);
    await eventually('all are acknowledged', async () => (await far.pending(stream, 'g')) === 0);
  });

  test('what had not begun when it stops is free for the next one at once, and no attempt is counted', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    await far.put(stream, 1, 2, 3);
    const flow = new ManualFlow();
    const options = { url: server.url, stream, group: 'g', claimAfter: 60_000 };
    const { it } = await openedSource(t, options, { deliver: flow.deliver });
    await given(flow, 3);
    await it.stop();
    flow.at(0).resolve();
    flow.at(1).reject(stopping());
    flow.at(2).reject(stopping());
    await it.close();
    assert.equal(await far.pending(stream, 'g'), 2);
    const next = new ManualFlow();
    await openedSource(t, options, { deliver: next.record });
    await given(next, 2);
    assert.deepEqual(
      next.deliveries.map((one) => one.message.origin.attempt),
      [1, 1],
    );
  });

  test('a member without a name of its own leaves none behind, unless something is still with it', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    await far.put(stream, 1);
    const members = async () => {
      const list = (await far.command('XINFO', 'CONSUMERS', stream, 'g')) as unknown as readonly (readonly unknown[])[];
      return list.length;
    };
    const options = { url: server.url, stream, group: 'g' };
    for (const done of [false, true]) {
      const flow = new ManualFlow();
      const { it } = await openedSource(t, options, { deliver: flow.deliver });
      await given(flow, 1);
      assert.equal(await members(), done ? 2 : 1);
      if (done) flow.at(0).resolve();
      else flow.at(0).reject(stopping());
      await it.close();
      assert.equal(await members(), 1);
    }
    // What the first one had went to the second: now it is there for nothing, and is removed when it is old.
    const connection = await Connection.open(sourceOptions(options), plainContext({ clock: systemClock }));
    t.after(() => connection.close());
    const group = new Group(connection, { stream, group: 'g', consumer: 'me' });
    await group.tidy();
    assert.equal(await members(), 1);
    await group.tidy(0);
    assert.equal(await members(), 0);
  });

  test('after a reload the new source takes nothing that the old one works on, and at once what it gives back', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    const { share } = sharing();
    const [old, next] = [new ManualFlow(), new ManualFlow()];
    const options = { url: server.url, stream, group: 'g', consumer: 'me', claimAfter: 60_000 };
    await far.put(stream, 1, 2);
    const before = await openedSource(t, options, { deliver: old.deliver, share });
    await given(old, 2);
    await openedSource(t, options, { deliver: next.record, share });
    await before.it.stop();
    await far.put(stream, 3);
    await given(next, 1);
    assert.notEqual(idsOf(next)[0], idsOf(old)[0]);
    old.at(0).resolve();
    old.at(1).reject(stopping());
    await before.it.close();
    await given(next, 2);
    assert.equal(idsOf(next)[1], idsOf(old)[1]);
    assert.equal(next.at(1).message.origin.attempt, 1);
    await eventually('all are acknowledged', async () => (await far.pending(stream, 'g')) === 0);
    assert.equal(next.deliveries.length, 2);
  });

  test('a group that somebody removes is made again behind what was seen, and that is said', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    const flow = new ManualFlow();
    const { it, context } = await openedSource(t, { url: server.url, stream, group: 'g' }, { deliver: flow.record });
    await far.put(stream, 1);
    await given(flow, 1);
    await far.command('XGROUP', 'DESTROY', stream, 'g');
    await far.put(stream, 2);
    await given(flow, 2);
    assert.equal(it.ready, true);
    assert.equal(flow.deliveries.length, 2);
    assert.match(
      String(context.log.lines[0]?.fields['detail']),
      /the group is gone \(NOGROUP\)|UNBLOCKED|answered with an error/,
    );
  });

  test('entries that are trimmed before they are done are said', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    await far.command('XGROUP', 'CREATE', stream, 'g', '0', 'MKSTREAM');
    await far.put(stream, 1, 2, 3);
    await far.command('XREADGROUP', 'GROUP', 'g', 'dead', 'STREAMS', stream, '>');
    await far.command('XTRIM', stream, 'MAXLEN', '1');
    const flow = new ManualFlow();
    const options = { url: server.url, stream, group: 'g', claimAfter: 500 };
    const { context } = await openedSource(t, options, { deliver: flow.record });
    await given(flow, 1);
    await eventually('it is said', () => context.log.lines.some((line) => line.level === 'error'));
    const { message, fields } = context.log.lines.find((line) => line.level === 'error') ?? {};
    assert.equal(message, 'entries were trimmed from the stream before they were done');
    assert.equal(fields?.['count'], 2);
    await eventually('nothing is left', async () => (await far.pending(stream, 'g')) === 0);
  });

  test('a key that holds something else ends the start', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    await far.command('SET', stream, 'text');
    await assert.rejects(openedSource(t, { url: server.url, stream }), {
      code: 'startup',
      message: /The group `test-flow` of the stream .* could not be opened: the key holds something that is no stream/,
    });
  });

  test('a server that falls silent is given up, and entries go on over the next connection, each once', async (t) => {
    await using proxy = await TcpProxy.before(server.port);
    const far = await outsider(t, server);
    const stream = fresh();
    const flow = new ManualFlow();
    const url = `redis://127.0.0.1:${proxy.port}`;
    const options = { url, stream, group: 'g', heartbeat: 150, claimAfter: 1_500 };
    const { context } = await openedSource(t, options, { deliver: flow.deliver });
    await far.put(stream, 1);
    await given(flow, 1);
    proxy.mute();
    flow.at(0).resolve();
    await far.put(stream, 2);
    await given(flow, 2);
    flow.at(1).resolve();
    await eventually('all are acknowledged', async () => (await far.pending(stream, 'g')) === 0);
    assert.equal(flow.deliveries.length, 2);
    assert.match(String(context.log.lines[0]?.fields['detail']), /fell silent/);
  });
});
