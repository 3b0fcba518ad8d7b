import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Deliver, failure } from '#sdk';
import { withPackage } from '../../support/debian-server.ts';
import { eventually } from '../../support/eventually.ts';
import { NatsServer, natsProgram } from '../../support/nats-server.ts';
import { plainCodec } from '../../support/plain-context.ts';
import { fresh, ManualFlow, openedSource, outsider } from './support.ts';

withPackage('nats-server', natsProgram, 'nats source of a stream', () => {
  let server: NatsServer;
  before(async () => {
    server = await NatsServer.start();
  });
  after(() => server[Symbol.asyncDispose]());

  const given = async (flow: ManualFlow, count: number): Promise<void> =>
    eventually(`${count} deliveries`, () => flow.deliveries.length >= count);

  test('a message has its body, headers, and what is known about it', async (t) => {
    const far = await outsider(t, server);
    const stream = await far.stream();
    const { headers } = await import('@nats-io/transport-node');
    const sent = headers();
    sent.append('Content-Type', 'text/plain');
    sent.append('X-Tag', 'a');
    sent.append('X-Tag', 'b');
    await far.js.publish(`${stream}.placed`, 'hello', { headers: sent });
    const flow = new ManualFlow();
    await openedSource(t, { url: server.url, stream, consumer: 'c' }, { deliver: flow.deliver });
    await given(flow, 1);
    const { body, headers: got, origin, key } = flow.at(0).message;
    assert.equal(String(await body.bytes(plainCodec)), 'hello');
    assert.equal(body.contentType, 'text/plain');
    assert.deepEqual({ ...got }, { 'content-type': 'text/plain', 'x-tag': ['a', 'b'] });
    assert.match(key ?? '', new RegExp(`^${stream}/1@\\d+$`));
    assert.equal(origin.attempt, 1);
    const { timestamp, ...rest } = origin.source as { readonly timestamp: string };
    assert.deepEqual(rest, { subject: `${stream}.placed`, stream, consumer: 'c', sequence: 1, deliveryCount: 1 });
    assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60_000);
    flow.at(0).resolve();
    await eventually('it is acknowledged', async () => (await far.unacknowledged(stream, 'c')) === 0);
  });

  test('acknowledged only when done; at most `prefetch` are here at once', async (t) => {
    const far = await outsider(t, server);
    const stream = await far.stream();
    await far.put(`${stream}.x`, ...Array.from({ length: 12 }, (_, n) => n));
    const flow = new ManualFlow();
    await openedSource(t, { url: server.url, stream, consumer: 'c', prefetch: 4 }, { deliver: flow.deliver });
    await given(flow, 4);
    const info = await far.manager.consumers.info(stream, 'c');
    assert.equal(info.num_ack_pending, 4);
    assert.equal(info.ack_floor.stream_seq, 0);
    for (let n = 0; n < 12; n++) {
      await given(flow, n + 1);
      assert.ok(flow.deliveries.length <= n + 4, `${flow.deliveries.length} were handed over, ${n} are done`);
      flow.at(n).resolve();
    }
    await eventually('all are acknowledged', async () => (await far.unacknowledged(stream, 'c')) === 0);
    assert.equal(flow.deliveries.length, 12);
  });

  test('a message that takes much longer than `ackWait` is not delivered a second time', async (t) => {
    const far = await outsider(t, server);
    const stream = await far.stream();
    const flow = new ManualFlow();
    await openedSource(t, { url: server.url, stream, consumer: 'c', ackWait: 1000 }, { deliver: flow.deliver });
    await far.put(`${stream}.x`, 1);
    await given(flow, 1);
    const since = performance.now();
    await eventually('three times as long', () => performance.now() - since > 3_000);
    const { num_redelivered } = await far.manager.consumers.info(stream, 'c');
    assert.equal(num_redelivered, 0);
    flow.at(0).resolve();
    await eventually('it is acknowledged', async () => (await far.unacknowledged(stream, 'c')) === 0);
    assert.equal(flow.deliveries.length, 1);
  });

  test('one that is postponed comes again after its delay, as the next attempt', async (t) => {
    const far = await outsider(t, server);
    const stream = await far.stream();
    await far.put(`${stream}.x`, 1);
    const flow = new ManualFlow();
    const times: number[] = [];
    const deliver: Deliver = (message) => {
      times.push(performance.now());
      return flow.deliver(message);
    };
    await openedSource(t, { url: server.url, stream, consumer: 'c' }, { deliver });
    await given(flow, 1);
    flow.at(0).reject(failure('postponed', { ms: 400, attempt: 2 }));
    await given(flow, 2);
    assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 390);
    assert.equal(flow.at(1).message.origin.attempt, 2);
    flow.at(1).resolve();
    await eventually('it is acknowledged', async () => (await far.unacknowledged(stream, 'c')) === 0);
  });

  test('what had not begun when the source stops goes to the next one at once', async (t) => {
    const far = await outsider(t, server);
    const stream = await far.stream();
    await far.put(`${stream}.x`, 1, 2, 3);
    const flow = new ManualFlow();
    const { it } = await openedSource(t, { url: server.url, stream, consumer: 'c' }, { deliver: flow.deliver });
    await given(flow, 3);
    await it.stop();
    await it.stop();
    flow.at(0).resolve();
    flow.at(1).reject(failure('stopping'));
    flow.at(2).reject(failure('stopping'));
    await it.close();
    await it.close();
    await eventually('one is acknowledged', async () => (await far.unacknowledged(stream, 'c')) === 2);
    await far.put(`${stream}.x`, 4);
    const next = new ManualFlow();
    await openedSource(t, { url: server.url, stream, consumer: 'c' }, { deliver: next.deliver });
    await given(next, 3);
    const sequences = next.sources().map((one) => one?.['sequence']);
    assert.deepEqual(sequences.sort(), [2, 3, 4]);
    for (const one of next.deliveries) one.resolve();
  });

  test('two processes with one consumer share its messages', async (t) => {
    const far = await outsider(t, server);
    const stream = await far.stream();
    const flows = [new ManualFlow(), new ManualFlow()] as const;
    for (const flow of flows)
      await openedSource(t, { url: server.url, stream, consumer: 'c', prefetch: 5 }, { deliver: flow.record });
    await far.put(`${stream}.x`, ...Array.from({ length: 60 }, (_, n) => n));
    await eventually('all came', () => flows[0].deliveries.length + flows[1].deliveries.length === 60);
    const all = flows.flatMap((flow) => flow.sources().map((one) => Number(one?.['sequence'])));
    assert.equal(new Set(all).size, 60);
    assert.ok(flows.every((flow) => flow.deliveries.length > 0));
  });

  test('only the subjects of the filter; a consumer that is there follows the file', async (t) => {
    const far = await outsider(t, server);
    const stream = await far.stream();
    await far.put(`${stream}.a`, 1);
    await far.put(`${stream}.b`, 2);
    const first = new ManualFlow();
    const options = { url: server.url, stream, consumer: 'c' };
    const { it } = await openedSource(t, { ...options, filter: [`${stream}.b`] }, { deliver: first.record });
    await given(first, 1);
    assert.equal(first.sources()[0]?.['subject'], `${stream}.b`);
    await it.close();
    await openedSource(t, { ...options, filter: [`${stream}.b`], ackWait: 5_000, maxAckPending: 77 }, {});
    const { config } = await far.manager.consumers.info(stream, 'c');
    assert.equal(config.ack_wait, 5_000_000_000);
    assert.equal(config.max_ack_pending, 77);
  });

  test('where a new consumer starts: all, new, a sequence', async (t) => {
    const far = await outsider(t, server);
    const stream = await far.stream();
    await far.put(`${stream}.a`, 1, 2, 3);
    const starts = {
      all: 'all',
      fresh: 'new',
      second: { sequence: 2 },
      last: 'last',
      past: { time: '2020-01-01T00:00:00Z' },
    } as const;
    const flows = new Map<string, ManualFlow>();
    for (const [consumer, start] of Object.entries(starts)) {
      const flow = new ManualFlow();
      flows.set(consumer, flow);
      await openedSource(t, { url: server.url, stream, consumer, start }, { deliver: flow.record });
    }
    await far.put(`${stream}.a`, 4);
    const wanted = { all: [1, 2, 3, 4], fresh: [4], second: [2, 3, 4], last: [3, 4], past: [1, 2, 3, 4] };
    for (const [consumer, sequences] of Object.entries(wanted)) {
      const flow = flows.get(consumer) ?? new ManualFlow();
      await given(flow, sequences.length);
      assert.deepEqual(
        flow.sources().map((one) => one?.['sequence']),
        sequences,
        consumer,
      );
    }
  });

  test('a stream that is declared is made', async (t) => {
    const far = await outsider(t, server);
    const stream = fresh();
    const declare = {
      subjects: [`${stream}.>`],
      storage: 'memory',
      retention: 'workqueue',
      replicas: 1,
      duplicateWindow: 5_000,
      maxAge: 60_000,
    } as const;
    const flow = new ManualFlow();
    await openedSource(t, { url: server.url, stream, declare }, { deliver: flow.record });
    const { config } = await far.manager.streams.info(stream);
    assert.equal(config.storage, 'memory');
    assert.equal(config.retention, 'workqueue');
    assert.equal(config.max_age, 60_000_000_000);
    await far.put(`${stream}.x`, 1);
    await given(flow, 1);
    assert.equal((await far.manager.consumers.info(stream, 'test-flow')).name, 'test-flow');
  });

  const refusedAtStart = (
    title: string,
    make: (far: Awaited<ReturnType<typeof outsider>>) => Promise<object>,
    message: RegExp,
  ) =>
    test(title, async (t) => {
      const far = await outsider(t, server);
      await assert.rejects(openedSource(t, { url: server.url, ...(await make(far)) }), { code: 'startup', message });
    });

  refusedAtStart(
    'a stream that is not there',
    async () => ({ stream: 'NONE' }),
    /no stream `NONE`: make it, or .*declare/,
  );
  refusedAtStart(
    'a consumer that is not there, and is not to be made',
    async (far) => ({ stream: await far.stream(), consumer: 'c', create: false }),
    /has no consumer `c`, and `create` is false/,
  );
  refusedAtStart(
    'a consumer that gives up messages by itself',
    async (far) => {
      const stream = await far.stream();
      await far.manager.consumers.add(stream, { durable_name: 'c', ack_policy: 'explicit', max_deliver: 3 });
      return { stream, consumer: 'c' };
    },
    /gives up a message after 3 deliveries/,
  );
  refusedAtStart(
    'a consumer without acknowledgements',
    async (far) => {
      const stream = await far.stream();
      await far.manager.consumers.add(stream, { durable_name: 'c', ack_policy: 'none' });
      return { stream, consumer: 'c' };
    },
    /policy `none`: it must be `explicit`/,
  );
  refusedAtStart(
    'several filters, which this server does not know',
    async (far) => {
      const stream = await far.stream();
      return { stream, filter: [`${stream}.a`, `${stream}.b`] };
    },
    /filter.*2\.10/,
  );

  test('a consumer that somebody deletes is made again, and that is said', async (t) => {
    const far = await outsider(t, server);
    const stream = await far.stream();
    const flow = new ManualFlow();
    const { it, context } = await openedSource(t, { url: server.url, stream, consumer: 'c' }, { deliver: flow.record });
    await eventually('it asks', async () => (await far.manager.consumers.info(stream, 'c')).num_waiting > 0);
    await far.manager.consumers.delete(stream, 'c');
    await eventually('it is there again', () => it.ready === true && context.log.lines.length >= 2);
    await far.put(`${stream}.x`, 1);
    await given(flow, 1);
    assert.match(String(context.log.lines[0]?.fields['detail']), /consumer deleted/);
  });
});
