import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { withPackage } from '../../support/debian-server.ts';
import { startEngine } from '../../support/engine.ts';
import { eventually } from '../../support/eventually.ts';
import { NatsServer, natsProgram } from '../../support/nats-server.ts';
import { plainCodec } from '../../support/plain-context.ts';
import { fresh, ManualFlow, openedSource, outsider } from './support.ts';

withPackage('nats-server', natsProgram, 'nats source of subjects', () => {
  let server: NatsServer;
  before(async () => {
    server = await NatsServer.start({ jetstream: false });
  });
  after(() => server[Symbol.asyncDispose]());

  test('takes what is published to its subjects, `concurrency` at a time, in order', async (t) => {
    const far = await outsider(t, server);
    const name = fresh();
    const flow = new ManualFlow();
    const subjects = [`${name}.*.a`, `${name}.b`];
    const { it } = await openedSource(t, { url: server.url, subjects }, { deliver: flow.deliver, concurrency: 2 });
    assert.equal(it.ready, true);
    for (const subject of ['1.a', 'b', 'c', '2.a']) far.connection.publish(`${name}.${subject}`, subject);
    await eventually('two came', () => flow.deliveries.length === 2);
    await far.connection.flush();
    assert.equal(flow.deliveries.length, 2);
    flow.at(0).resolve();
    await eventually('the third came', () => flow.deliveries.length === 3);
    const texts = await Promise.all(
      flow.deliveries.map(async (one) => String(await one.message.body.bytes(plainCodec))),
    );
    assert.deepEqual(texts, ['1.a', 'b', '2.a']);
    assert.deepEqual(flow.sources()[0], { subject: `${name}.1.a` });
    for (const one of flow.deliveries) one.resolve();
  });

  test('one member of a queue gets each message', async (t) => {
    const far = await outsider(t, server);
    const subject = fresh();
    const flows = [new ManualFlow(), new ManualFlow()] as const;
    for (const flow of flows)
      await openedSource(t, { url: server.url, subjects: [subject], queue: 'q' }, { deliver: flow.record });
    for (let n = 0; n < 50; n++) far.connection.publish(subject, `${n}`);
    await eventually('all came', () => flows[0].deliveries.length + flows[1].deliveries.length === 50);
    await far.connection.flush();
    assert.equal(flows[0].deliveries.length + flows[1].deliveries.length, 50);
  });

  test('more than may wait is dropped, and that is said with its number', async (t) => {
    const far = await outsider(t, server);
    const subject = fresh();
    const flow = new ManualFlow();
    const { it, context } = await openedSource(
      t,
      { url: server.url, subjects: [subject], capacity: 3 },
      { deliver: flow.deliver },
    );
    for (let n = 0; n < 10; n++) far.connection.publish(subject, `${n}`);
    await eventually('a drop is said', () => context.log.lines.length > 0);
    await it.stop();
    for (let n = 0; n < 4; n++) {
      await eventually('the next one comes', () => flow.deliveries.length === n + 1);
      flow.at(n).resolve();
    }
    await it.close();
    const drops = context.log.lines.map((line) => line.fields['dropped']);
    assert.equal(
      drops.reduce<number>((sum, one) => sum + Number(one), 0),
      6,
    );
    assert.equal(context.log.lines.at(-1)?.fields['total'], 6);
    assert.equal(flow.deliveries.length, 4);
  });

  test('with `reply` whoever asks gets what the flow ended with, or that it failed', async (t) => {
    const yaml = `
dowel: 1
name: svc
endpoints:
  stock: { nats: { url: "${server.url}" } }
flows:
  asking:
    from: { test: {} }
    steps:
      - call: { endpoint: stock, nats: { subject: "stock.\${{ sku }}" }, expect: [2xx, 404], as: got }
      - set: { body: { got: "\${{ $got }}", status: "\${{ $response.status }}", by: "\${{ $response.headers.\`x-by\` }}" } }
  asked:
    from: { nats: { url: "${server.url}", subjects: [stock.*], queue: stock, reply: true } }
    steps:
      - when: sku = 'none'
        respond: { status: 404, body: { error: none } }
      - when: sku = 'bad'
        fail: { code: broken, status: 500, detail: it is broken }
      - respond: { status: 201, headers: { x-by: svc }, body: { sku: "\${{ sku }}", at: "\${{ $source.subject }}" } }
`;
    const engine = await startEngine(t, yaml);
    const ask = async (sku: string) => (await engine.send({ flow: 'asking', body: { sku } })).body;
    assert.deepEqual(await ask('tea'), { got: { sku: 'tea', at: 'stock.tea' }, status: 201, by: 'svc' });
    assert.deepEqual(await ask('none'), { got: { error: 'none' }, status: 404 });
    const broken = { endpoint: 'stock', status: 500, detail: 'it is broken' };
    await assert.rejects(ask('bad'), (thrown: { readonly code: string; readonly facts: object }) => {
      assert.equal(thrown.code, 'http-500');
      assert.deepEqual({ ...thrown.facts }, { ...thrown.facts, ...broken });
      return true;
    });
    const far = await outsider(t, server);
    const answer = await far.connection.request('stock.x', '{"sku":"bad"}', { timeout: 5_000 });
    assert.equal(answer.headers?.get('Nats-Service-Error-Code'), '500');
  });

  test('a stream is asked for where there is no JetStream: the start says so', async (t) => {
    await assert.rejects(openedSource(t, { url: server.url, stream: 'ORDERS' }), {
      code: 'startup',
      message: /JetStream is not enabled there: start the server with `--jetstream`/,
    });
  });
});
