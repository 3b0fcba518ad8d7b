import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { withPackage } from '../../support/debian-server.ts';
import { RabbitmqServer, rabbitmqProgram } from '../../support/rabbitmq-server.ts';
import { runIntegration } from './support/integration.ts';

withPackage('rabbitmq-server', rabbitmqProgram, 'amqp flows that ask and answer', () => {
  let server: RabbitmqServer;
  before(async () => {
    server = await RabbitmqServer.shared();
  });
  after(() => server[Symbol.asyncDispose]());

  test('an integration asks another over a queue, and gets what that responds', async (t) => {
    const { url } = server;
    await runIntegration(
      t,
      `
dowel: 1
name: prices
flows:
  price:
    from: { amqp: { url: "${url}", queue: prices, reply: true } }
    steps:
      - respond:
          status: "\${{ sku = 'tea' ? 200 : 404 }}"
          headers: { x-shelf: "7" }
          body: { amount: 3, by: "\${{ $source.routingKey }}" }
`,
    );
    const shop = await runIntegration(
      t,
      `
dowel: 1
name: shop
server: { port: 0 }
endpoints:
  prices: { amqp: { url: "${url}", routingKey: prices }, timeout: 5s }
flows:
  ask:
    from: { http: { path: /ask } }
    steps:
      - call: { endpoint: prices, as: price }
      - respond: { body: { got: "\${{ $price }}", shelf: "\${{ $response.headers.'x-shelf' }}", status: "\${{ $response.status }}" } }
    onError:
      - steps:
          - respond: { status: 502, body: { code: "\${{ $error.code }}" } }
`,
    );
    const ask = (sku: string): Promise<Response> =>
      fetch(`${shop.url}/ask`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sku }),
      });
    assert.deepEqual(await (await ask('tea')).json(), { got: { amount: 3, by: 'prices' }, shelf: '7', status: 200 });
    const refused = await ask('coal');
    assert.equal(refused.status, 502);
    assert.deepEqual(await refused.json(), { code: 'http-404' });
  });
});
