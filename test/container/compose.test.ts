/** No engine is at hand: what a person would look for in `compose.yaml`, and that it is the same as `npm run brokers`. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { load } from 'js-yaml';
import { brokers } from '../support/brokers.ts';
import { root } from '../support/child-process.ts';

interface Service {
  readonly image: string;
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly healthcheck: {
    readonly test: readonly string[];
    readonly interval: string;
    readonly timeout: string;
    readonly retries: number;
  };
}

const text = readFileSync(join(root, 'compose.yaml'), 'utf8');
const compose = load(text) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly configs: Readonly<Record<string, { readonly content: string }>>;
};
const services = Object.entries(compose.services);

/** What may stand there (the specification of Compose has more; this file needs no more). */
const known = ['image', 'command', 'configs', 'environment', 'ports', 'volumes', 'hostname', 'healthcheck'];

describe('compose.yaml', () => {
  test('has the brokers that `npm run brokers` starts, on the same ports', () => {
    assert.deepEqual(
      services.map(([name, { ports }]) => `${name} ${ports[0]}`).sort(),
      brokers.map(({ name, port }) => `${name} 127.0.0.1:${port}:${port}`).sort(),
    );
  });

  for (const [name, service] of services) {
    test(`${name}: a version that is pinned, data that stays, a health check, reached from this machine only`, () => {
      for (const key of Object.keys(service)) assert.ok(known.includes(key), `\`${key}\` is not known`);
      assert.match(service.image, /^[a-z/-]+:\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
      for (const port of service.ports) assert.match(port, /^127\.0\.0\.1:(\d+):\1$/);
      for (const volume of service.volumes) {
        const [source = '', target = ''] = volume.split(':');
        assert.ok(Object.hasOwn(compose.volumes, source), `the volume ${source} is declared`);
        assert.match(target, /^\//);
      }
      for (const { source, target } of service.configs ?? []) {
        assert.ok(compose.configs[source]?.content, `the config ${source} is declared`);
        assert.match(target, /^\//);
      }
      const { healthcheck } = service;
      assert.equal(healthcheck.test[0], 'CMD');
      assert.ok(healthcheck.test.length > 1);
      assert.match(healthcheck.interval, /^\d+s$/);
      assert.match(healthcheck.timeout, /^\d+s$/);
      assert.ok(healthcheck.retries > 0);
    });

    test(`${name}: every value is text where the container gets text`, () => {
      const texts = [
        ...(service.command ?? []),
        ...service.healthcheck.test,
        ...Object.values(service.environment ?? {}),
      ];
      for (const one of texts) assert.equal(typeof one, 'string', `${String(one)} would be read as something else`);
      // A single dollar sign would be replaced by a variable of whoever calls.
      for (const one of texts) assert.doesNotMatch(String(one), /(?<!\$)\$(?!\$)/);
    });
  }

  test('every volume and every config is used', () => {
    const used = services.flatMap(([, { volumes, configs = [] }]) => [
      ...volumes.map((one) => one.split(':')[0]),
      ...configs.map((one) => one.source),
    ]);
    for (const name of [...Object.keys(compose.volumes), ...Object.keys(compose.configs)])
      assert.ok(used.includes(name));
  });

  test('says where each is, in the variables that `npm run brokers` prints', () => {
    for (const name of ['AMQP_URL', 'MQTT_URL', 'NATS_URL', 'REDIS_URL', 'POSTGRES_URL', 'KAFKA_BROKERS']) {
      assert.match(text, new RegExp(`# ${name}=\\S*127\\.0\\.0\\.1:\\d+`));
    }
  });
});
