import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { withPackage } from '../../support/debian-server.ts';
import { runDowel } from '../../support/dowel-process.ts';
import { eventually } from '../../support/eventually.ts';
import { RabbitmqServer, rabbitmqProgram } from '../../support/rabbitmq-server.ts';
import { runIntegration, written } from './support/integration.ts';
import { Outside } from './support/outside.ts';

withPackage('rabbitmq-server', rabbitmqProgram, 'amqp in a running integration', () => {
  let server: RabbitmqServer;
  let url: string;
  before(async () => {
    server = await RabbitmqServer.shared();
    url = server.url;
  });
  after(() => server[Symbol.asyncDispose]());

  test('what fails for good is in the dead letter queue, as it came, before it is acknowledged', async (t) => {
    const outside = await Outside.at(t, url);
    await outside.queue('parked-audit');
    await outside.channel.assertExchange('parked', 'topic');
    await outside.channel.bindQueue('parked-audit', 'parked', 'audit');
    const running = await runIntegration(
      t,
      `
dowel: 1
name: auditing
version: 1.2.0
config: { AMQP_URL: { type: uri, default: "${url}", secret: true } }
endpoints:
  orders: { amqp: { url: "\${AMQP_URL}", exchange: { name: orders, type: topic } } }
  parked: { amqp: { url: "\${AMQP_URL}", exchange: { name: parked, type: topic } } }
flows:
  audit:
    from:
      amqp: { url: "\${AMQP_URL}", queue: audit, bind: [ { exchange: orders, routingKey: "order.#" } ], prefetch: 20 }
    redelivery: { maxAttempts: 3, delay: 20ms }
    deadLetter: { endpoint: parked, amqp: { routingKey: audit } }
    steps:
      - log: { message: "\${{ 'attempt ' & $exchange.attempt & ' of ' & $source.routingKey }}" }
      - fail: { code: nobody-home, kind: transient }`,
    );
    const body = '{ "orderId":  "A1" }';
    await outside.publish('orders', 'order.placed', body, {
      contentType: 'application/json',
      headers: { region: 'eu' },
    });
    await eventually('it is in the dead letter queue', async () => (await outside.count('parked-audit')) === 1);
    const letter = await outside.next('parked-audit');
    assert.equal(letter.content.toString(), body);
    assert.equal(letter.properties.contentType, 'application/json');
    assert.equal(letter.properties.headers?.['region'], 'eu');
    assert.deepEqual(
      running.log.flatMap(({ message }) => (message.startsWith('attempt') ? [message] : [])),
      [1, 2, 3].map((attempt) => `attempt ${attempt} of order.placed`),
    );
    assert.equal((await running.stop()).code, 0);
    await eventually('the queue is empty', async () => (await outside.count('audit')) === 0);
    assert.doesNotMatch(running.stdout + running.stderr, /guest:guest/);
  });

  for (const [title, where, options, says] of [
    [
      'a wrong password',
      (at: string) => at.replace(':guest@', ':canary@'),
      'routingKey: q',
      /refused the user `guest`: wrong name or password/,
    ],
    [
      'a missing exchange',
      (at: string) => at,
      'exchange: { name: nowhere }',
      /there is no exchange `nowhere`: make it, or say its `type` and it is made/,
    ],
  ] as const) {
    test(`${title}: exit 69, and one line that says what to do`, async (t) => {
      const file = written(
        t,
        `
dowel: 1
name: refused
config: { AMQP_URL: { type: uri, secret: true } }
endpoints: { e: { amqp: { url: "\${AMQP_URL}", ${options} } } }
flows: { f: { from: { timer: { every: 1h } }, steps: [ { send: { endpoint: e } } ] } }`,
      );
      const { code, stdout, stderr } = await runDowel(['run', file], { env: { AMQP_URL: where(url) } });
      assert.equal(code, 69);
      assert.match(stderr, says);
      assert.equal(stderr.trim().split('\n').length, 1);
      assert.doesNotMatch(stdout + stderr, /canary|guest@/);
    });
  }

  test('an unreachable broker does not end the start: it is not ready until the broker is there', async (t) => {
    const running = await runIntegration(
      t,
      `
dowel: 1
name: early
flows:
  early:
    from: { amqp: { url: [ "amqp://127.0.0.1:9" ], queue: early } }
    steps: [ { log: { message: got } } ]`,
    );
    const probe = async (): Promise<number> => (await fetch(`http://127.0.0.1:${running.adminPort}/readyz`)).status;
    assert.equal(await probe(), 503);
    assert.equal(running.logged('ready'), undefined);
    assert.deepEqual(running.logged('open, but not ready: not connected yet')?.['flows'], ['early']);
    const told = running.log.filter(({ level }) => level === 'warn');
    assert.match(String(told[0]?.['detail']), /nobody listens there \(ECONNREFUSED\)/);
    assert.equal((await running.stop()).code, 0);
  });
});
