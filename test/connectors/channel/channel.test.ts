import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Body, type Endpoint, failure, type Incoming } from '#sdk';
import { openEndpoint } from '../../../connectors/channel/endpoint.ts';
import { channel } from '../../../connectors/channel/index.ts';
import { openSource } from '../../../connectors/channel/source.ts';
import type { Labels } from '../../../src/core/meter.ts';
import { eventually } from '../../support/eventually.ts';
import { ManualFlow, outgoing, plainCodec, plainContext, sharing } from '../../support/plain-context.ts';

const text = (message: Incoming): unknown => message.body.value(plainCodec);
const sent = (flow: ManualFlow): readonly unknown[] => flow.deliveries.map((one) => text(one.message));

async function setUp(options: { capacity?: number; concurrency?: number; flow?: string } = {}) {
  const { share, open } = sharing();
  const sender = plainContext({ name: 'out', share });
  const endpoint = await openEndpoint({ name: 'jobs' }, sender);
  const flow = new ManualFlow();
  const reading = (name = options.flow ?? 'reader', into = flow, concurrency = options.concurrency ?? 1) =>
    plainContext({ name, share, deliver: into.deliver, concurrency });
  const context = reading();
  const source = await openSource({ name: 'jobs', capacity: options.capacity ?? 1000, durable: false }, context);
  const send = (value: unknown, to: Endpoint = endpoint) => to.handle(outgoing(sender, { body: Body.value(value) }));
  return { share, open, sender, endpoint, flow, context, source, send, reading };
}

test('definition: send only, source and endpoint meet by name', () => {
  assert.equal(channel.definition.replies ?? false, false);
  assert.equal(channel.definition.call, undefined);
  assert.equal(channel.definition.meetsAt?.({ name: 'jobs' }), 'jobs');
});

test('send is done when the message is in the channel; messages come out in order, one at a time by default', async () => {
  const { flow, send } = await setUp();
  for (const value of [1, 2, 3]) assert.equal(await send(value), undefined);
  assert.deepEqual(sent(flow), [1]);
  flow.at(0).resolve();
  await turn();
  assert.deepEqual(sent(flow), [1, 2]);
  flow.at(1).resolve();
  await turn();
  assert.deepEqual(sent(flow), [1, 2, 3]);
});

test('the concurrency of the flow decides how many are worked on at once', async () => {
  const { flow, send } = await setUp({ concurrency: 3 });
  for (let i = 0; i < 10; i++) await send(i);
  assert.deepEqual(sent(flow), [0, 1, 2]);
  flow.at(1).resolve();
  await turn();
  assert.deepEqual(sent(flow), [0, 1, 2, 3]);
});

test('it tells how many wait; with several readers, as during a reload, the figure tells it once', async () => {
  const { flow, source, send, reading } = await setUp();
  // Each reader takes one of them.
  for (const value of [1, 2, 3, 4, 5]) await send(value);
  const figures = new Map<unknown, () => number>();
  const gauge = (_: string, __: string, { queue }: Labels, read: () => number): (() => void) => {
    const key = {};
    assert.equal(queue, 'channel:jobs');
    figures.set(key, read);
    return () => void figures.delete(key);
  };
  const total = (): number => [...figures.values()].reduce((sum, read) => sum + read(), 0);
  const plain = reading();
  const context = { ...plain, services: { ...plain.services, meter: { ...plain.services.meter, gauge } } };
  const options = { name: 'jobs', capacity: 1000, durable: false } as const;
  const later = await openSource(options, context);
  const other = await openSource(options, context);
  assert.deepEqual([source.queued, later.queued, other.queued, total()], [2, 2, 2, 2]);
  await other.stop();
  await other.close();
  assert.deepEqual([figures.size, total()], [1, 2]);
  await later.close();
  flow.at(0).resolve();
  await turn();
  assert.equal(source.queued, 1);
});

test('a full channel rejects at once', async () => {
  const { send } = await setUp({ capacity: 2 });
  for (const value of [1, 2, 3]) await send(value);
  await assert.rejects(send(4), { code: 'channel-full', kind: 'rejected', facts: { channel: 'jobs', capacity: 2 } });
});

test('body, content type and own headers go over, variables and foreign headers do not; $source names the sender', async () => {
  const { sender, endpoint, flow } = await setUp();
  const message = outgoing(sender, { body: Body.bytes('<a/>', 'application/xml'), ownHeaders: { priority: 'high' } });
  await endpoint.handle(message.withVariable('secret', 1).with({ headers: { cookie: 'x' } }));
  const { message: got } = flow.at(0);
  assert.equal(got.body.contentType, 'application/xml');
  assert.equal(await got.body.bytes(plainCodec), '<a/>');
  assert.deepEqual({ ...got.headers }, { priority: 'high' });
  assert.deepEqual(got.origin.source, { channel: 'jobs', sender: { flow: 'sender', exchange: message.id } });
});

test('a stream is collected before it goes in, and the sender can still look at it', async () => {
  const { sender, endpoint, flow } = await setUp();
  const tooLarge = (limit: number) => failure('too-large', { limit });
  const stream = (limit: number) =>
    Body.stream({ stream: Readable.from([Buffer.from('ab'), Buffer.from('cd')]), limit, tooLarge }, 'text/plain');
  const body = stream(100);
  await endpoint.handle(outgoing(sender, { body }));
  assert.equal(flow.at(0).message.body.isStream, false);
  assert.equal(String(await flow.at(0).message.body.bytes(plainCodec)), 'abcd');
  assert.equal(String(await body.bytes(plainCodec)), 'abcd');
  await assert.rejects(endpoint.handle(outgoing(sender, { body: stream(3) })), { code: 'too-large' });
});

test('a message that was given up before it is in does not go in', async () => {
  const { sender, endpoint, flow } = await setUp();
  const message = outgoing(sender);
  message.life.abort(failure('aborted'));
  await assert.rejects(endpoint.handle(message), { code: 'aborted' });
  assert.equal(flow.deliveries.length, 0);
});

test('a failure is logged with code and place, and the next message goes on', async () => {
  const { flow, send, context } = await setUp();
  await send(1);
  await send(2);
  const error = failure('validation', { detail: 'no' });
  error.place = 'reader/steps/0';
  flow.at(0).reject(error);
  await turn();
  assert.deepEqual(sent(flow), [1, 2]);
  const [line] = context.log.lines;
  assert.equal(line?.level, 'error');
  assert.equal(line?.fields.code, 'validation');
  assert.equal(line?.fields.place, 'reader/steps/0');
  assert.equal(line?.fields.failed, 1);
});

test('messages sent before the reader is open wait for it', async () => {
  const { share } = sharing();
  const sender = plainContext({ name: 'out', share });
  const endpoint = await openEndpoint({ name: 'jobs' }, sender);
  await endpoint.handle(outgoing(sender, { body: Body.value('early') }));
  const flow = new ManualFlow();
  await openSource({ name: 'jobs', capacity: 10, durable: false }, plainContext({ share, deliver: flow.deliver }));
  assert.deepEqual(sent(flow), ['early']);
});

test('drain: after stop the channel is emptied, also of what flows in flight still send; a shutdown waits for that', async () => {
  const { flow, send, source, endpoint, open, context } = await setUp();
  await send(1);
  await send(2);
  await source.stop();
  await send(3);
  for (const index of [0, 1, 2]) {
    await turn();
    assert.deepEqual([...context.underWay], ['the channel jobs, which reader reads']);
    flow.at(index).resolve();
  }
  await turn();
  assert.deepEqual([...context.underWay], []);
  await source.close();
  assert.deepEqual(sent(flow), [1, 2, 3]);
  await assert.rejects(send(4), { code: 'stopping' });
  await endpoint.close();
  assert.deepEqual(open(), []);
});

test('drain that is cut short: what waits at the close is given up, counted in one line', async () => {
  const { flow, send, source, context } = await setUp();
  for (const value of [1, 2, 3]) await send(value);
  await source.stop();
  await source.close();
  const [line] = context.log.lines;
  assert.equal(line?.level, 'error');
  assert.deepEqual(line?.fields, { channel: 'jobs', flow: 'reader', messages: 2 });
  flow.at(0).resolve();
  await turn();
  assert.deepEqual(sent(flow), [1]);
});

test('a reload that fails half-way leaves the old version reading', async () => {
  const { flow, send, reading } = await setUp();
  const renewed = new ManualFlow();
  const source2 = await openSource({ name: 'jobs', capacity: 1000, durable: false }, reading('reader', renewed));
  for (const value of [1, 2, 3]) await send(value);
  await source2.stop();
  assert.deepEqual([sent(flow), sent(renewed)], [[2], [1]]);
  flow.at(0).resolve();
  renewed.at(0).resolve();
  await turn();
  await source2.close();
  assert.deepEqual([sent(flow), sent(renewed)], [[2, 3], [1]]);
});

test('reload: what waits goes to the new version, what is in flight finishes on the old', async () => {
  const { flow, send, source, reading, endpoint, share, open } = await setUp();
  for (const value of [1, 2, 3]) await send(value);
  const renewed = new ManualFlow();
  const endpoint2 = await openEndpoint({ name: 'jobs' }, plainContext({ name: 'out', share }));
  const source2 = await openSource({ name: 'jobs', capacity: 1000, durable: false }, reading('reader', renewed));
  await source.stop();
  await endpoint.close();
  await send(4, endpoint2);
  flow.at(0).resolve();
  await source.close();
  assert.deepEqual(sent(flow), [1]);
  for (const index of [0, 1, 2]) {
    renewed.at(index).resolve();
    await turn();
  }
  assert.deepEqual(sent(renewed), [2, 3, 4]);
  await source2.stop();
  await source2.close();
  await endpoint2.close();
  assert.deepEqual(open(), []);
});

test('reload in the other order: the old version stops first, the new one takes the rest when it opens', async () => {
  const { flow, send, source, reading } = await setUp();
  for (const value of [1, 2]) await send(value);
  await source.stop();
  const renewed = new ManualFlow();
  await openSource({ name: 'jobs', capacity: 1000, durable: false }, reading('renamed', renewed));
  assert.deepEqual(sent(renewed), [2]);
  flow.at(0).resolve();
  await source.close();
  await send(3);
  renewed.at(0).resolve();
  await turn();
  assert.deepEqual(sent(renewed), [2, 3]);
});

test('several readers share the messages; each message goes to one', async () => {
  const { flow, send, reading } = await setUp();
  const other = new ManualFlow();
  await openSource({ name: 'jobs', capacity: 1000, durable: false }, reading('other', other));
  for (const value of [1, 2, 3]) await send(value);
  assert.deepEqual(sent(flow), [1]);
  assert.deepEqual(sent(other), [2]);
  other.at(0).resolve();
  await turn();
  assert.deepEqual(sent(other), [2, 3]);
});

test('ten thousand messages pass in order, and their memory is given back', async () => {
  const { share } = sharing();
  const sender = plainContext({ name: 'out', share });
  const endpoint = await openEndpoint({ name: 'jobs' }, sender);
  const seen: unknown[] = [];
  const deliver = async (message: Incoming): Promise<undefined> => {
    await turn();
    seen.push(text(message));
    return undefined;
  };
  const source = await openSource({ name: 'jobs', capacity: 10_000, durable: false }, plainContext({ share, deliver }));
  const expected = Array.from({ length: 10_000 }, (_, index) => index);
  for (const value of expected) await endpoint.handle(outgoing(sender, { body: Body.value(value) }));
  await source.stop();
  await eventually('all are through', () => seen.length === expected.length);
  await source.close();
  assert.deepEqual(seen, expected);
});
