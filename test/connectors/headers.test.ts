/** What goes along with a message by itself, over real brokers: its trace, and the attributes of an event. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { withPackage } from '../support/debian-server.ts';
import { eventually } from '../support/eventually.ts';
import { MosquittoServer, mosquittoProgram } from '../support/mosquitto-server.ts';
import { NatsServer, natsProgram } from '../support/nats-server.ts';
import { RabbitmqServer, rabbitmqProgram } from '../support/rabbitmq-server.ts';
import { startIntegration, startService } from './http/support.ts';

interface Broker {
  readonly endpoint: string;
  readonly operation: string;
  readonly source: string;
}

/** HTTP in, over the broker, HTTP out. */
const integration = (far: string, mode: string, { endpoint, operation, source }: Broker): string => `
dowel: 1
name: along
server: { host: 127.0.0.1, port: 0 }
endpoints:
  broker: { ${endpoint}, cloudEvents: { mode: ${mode}, source: /along, type: order.placed } }
  far: { http: { url: "${far}" } }
flows:
  in:
    from: { http: { method: POST, path: / } }
    steps:
      - send: { endpoint: broker, ${operation}, event: { id: "\${{ id }}", subject: "\${{ about }}", extensions: { tenant: acme } } }
  out:
    from: { ${source}, cloudEvents: {} }
    steps:
      - call:
          endpoint: far
          http: { method: POST, path: "/\${{ $event.id }}", query: { type: "\${{ $event.type }}", tenant: "\${{ $event.tenant }}", about: "\${{ $event.subject }}" } }
`;

const theirs = '4bf92f3577b34da6a3ce929d0e0e4736';

async function check(t: TestContext, mode: string, broker: Broker): Promise<void> {
  const service = await startService(t, (_, response) => response.end());
  const { url, runtime } = await startIntegration(t, integration(service.url, mode, broker));
  await eventually('it is connected', () => runtime.ready);
  const headers = {
    'content-type': 'application/json',
    traceparent: `00-${theirs}-00f067aa0ba902b7-01`,
    tracestate: 'congo=t61rcWkgMzE',
  };
  const body = JSON.stringify({ id: `e-${mode}`, about: 'Ü 1' });
  const answer = await fetch(url, { method: 'POST', headers, body });
  assert.equal(answer.status, 200, await answer.text());
  await eventually('it arrived', () => service.requests.length === 1);
  const [request] = service.requests;
  assert.equal(request?.url, `/e-${mode}?type=order.placed&tenant=acme&about=%C3%9C%201`);
  assert.equal(request?.body, body);
  assert.equal(request?.headers['content-type'], 'application/json');
  assert.equal(String(request?.headers.traceparent).slice(3, 35), theirs);
  assert.equal(request?.headers['tracestate'], 'congo=t61rcWkgMzE');
}

const modes = ['binary', 'structured'] as const;

withPackage('rabbitmq-server', rabbitmqProgram, 'over AMQP', () => {
  test('trace and event arrive', async (t) => {
    const server = await RabbitmqServer.shared();
    t.after(() => server[Symbol.asyncDispose]());
    for (const mode of modes) {
      await check(t, mode, {
        endpoint: `amqp: { url: "${server.url}", exchange: { name: orders, type: topic } }`,
        operation: 'amqp: { routingKey: order.placed }',
        source: `amqp: { url: "${server.url}", queue: ${mode}, bind: [ { exchange: orders, routingKey: "order.#" } ] }`,
      });
    }
  });
});

withPackage('mosquitto', mosquittoProgram, 'over MQTT 5', () => {
  test('trace and event arrive', async (t) => {
    const server = await MosquittoServer.start();
    t.after(() => server[Symbol.asyncDispose]());
    for (const mode of modes) {
      await check(t, mode, {
        endpoint: `mqtt: { url: "${server.url}" }`,
        operation: `mqtt: { topic: orders/${mode} }`,
        source: `mqtt: { url: "${server.url}", topics: [ orders/${mode} ], clientId: reader-${mode} }`,
      });
    }
  });
});

withPackage('nats-server', natsProgram, 'over NATS', () => {
  test('trace and event arrive', async (t) => {
    const server = await NatsServer.start();
    t.after(() => server[Symbol.asyncDispose]());
    for (const mode of modes) {
      await check(t, mode, {
        endpoint: `nats: { url: "${server.url}", stream: ${mode}, declare: { subjects: ["${mode}.>"] } }`,
        operation: `nats: { subject: ${mode}.placed }`,
        source: `nats: { url: "${server.url}", stream: ${mode}, consumer: reader }`,
      });
    }
  });
});
