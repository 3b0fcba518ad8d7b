import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at, kinds, manifestsOfTexts, ofKind, reading } from './support/manifests.ts';
import { assertValid } from './support/schemas.ts';

const http = '{ http: { method: GET, path: / } }';
const parked = '    deadLetter: { endpoint: parked }';
const amqp = '{ amqp: { url: "${AMQP_URL}", queue: work } }';
const amqpUrl = '  AMQP_URL: { type: uri, secret: true }\n';

describe('several replicas', () => {
  test('http: two and more, by the processor, and one of them may go at a time', async (t) => {
    const result = await manifestsOfTexts(t, { 'i.yaml': reading(http) }, {}, { replicas: 3 });
    for (const manifest of result.manifests) assertValid(manifest);
    assert.deepEqual(kinds(result).slice(2), [
      'Deployment',
      'Service',
      'PodDisruptionBudget',
      'HorizontalPodAutoscaler',
    ]);
    // Whoever applies the manifests again does not undo what the autoscaler did.
    assert.equal(at(ofKind(result.manifests, 'Deployment'), 'spec.replicas'), undefined);
    assert.equal(at(ofKind(result.manifests, 'HorizontalPodAutoscaler'), 'spec.minReplicas'), 3);
  });

  for (const [name, from, trigger] of [
    [
      'amqp',
      amqp,
      {
        type: 'rabbitmq',
        metadata: { hostFromEnv: 'AMQP_URL', protocol: 'amqp', queueName: 'work', mode: 'QueueLength', value: '20' },
      },
    ],
    [
      'kafka',
      '{ kafka: { brokers: [k1:9092, k2:9092], topics: [work], group: readers } }',
      {
        type: 'kafka',
        metadata: {
          bootstrapServers: 'k1:9092,k2:9092',
          consumerGroup: 'readers',
          topic: 'work',
          lagThreshold: '20',
          offsetResetPolicy: 'earliest',
        },
      },
    ],
    [
      'redis',
      '{ redis: { url: "rediss://mq/3", stream: work, password: "${AMQP_URL}" } }',
      {
        type: 'redis-streams',
        metadata: {
          address: 'mq:6379',
          passwordFromEnv: 'AMQP_URL',
          enableTLS: 'true',
          databaseIndex: '3',
          stream: 'work',
          consumerGroup: 'Reader_1-read',
          lagCount: '20',
          activationLagCount: '0',
        },
      },
    ],
    [
      'nats',
      '{ nats: { url: "nats://mq:4222", stream: WORK } }',
      {
        type: 'nats-jetstream',
        metadata: {
          natsServerMonitoringEndpoint: 'mq:8222',
          account: '$G',
          stream: 'WORK',
          consumer: 'Reader_1-read',
          lagThreshold: '20',
        },
      },
    ],
  ] as const) {
    test(`${name}: by what waits there, with KEDA`, async (t) => {
      const file = reading(from, { config: amqpUrl, flow: parked });
      const result = await manifestsOfTexts(t, { 'i.yaml': file });
      for (const manifest of result.manifests) assertValid(manifest);
      assert.deepEqual(at(ofKind(result.manifests, 'ScaledObject'), 'spec.triggers'), [trigger]);
      assert.ok(!kinds(result).includes('HorizontalPodAutoscaler') && !kinds(result).includes('Service'));
    });
  }

  test('kafka with a password: KEDA signs in by what the container has', async (t) => {
    const from =
      '{ kafka: { brokers: "k1:9092", topics: [a, b], group: g, tls: {}, auth: { scram: { username: me, password: "${AMQP_URL}" } } } }';
    const result = await manifestsOfTexts(t, {
      'i.yaml': reading(from, { config: amqpUrl.replace('type: uri, ', ''), flow: parked }),
    });
    for (const manifest of result.manifests) assertValid(manifest);
    const trigger = at(ofKind(result.manifests, 'ScaledObject'), 'spec.triggers.0');
    const auth = ofKind(result.manifests, 'TriggerAuthentication');
    assert.deepEqual(at(trigger, 'authenticationRef'), { name: auth.metadata.name });
    assert.deepEqual([at(trigger, 'metadata.sasl'), at(trigger, 'metadata.tls')], ['scram_sha512', 'enable']);
  });

  test('a URL that KEDA cannot read whole: no scaler, and a word on what to write', async (t) => {
    const from = '{ redis: { url: "${AMQP_URL}", stream: work } }';
    const result = await manifestsOfTexts(t, { 'i.yaml': reading(from, { config: amqpUrl, flow: parked }) });
    assert.ok(!kinds(result).includes('ScaledObject'));
    assert.equal(at(ofKind(result.manifests, 'Deployment'), 'spec.replicas'), 2);
    assert.ok(result.notes.some((note) => /no scaling .* flow read: the `url` of redis is secret/.test(note)));
  });
});

test('what is read is not known yet: no scaler, and a word on it', async (t) => {
  const from = '{ amqp: { url: "${AMQP_URL}", queue: "${QUEUE}" } }';
  const file = reading(from, { config: `${amqpUrl}  QUEUE: {}\n`, flow: parked });
  const without = await manifestsOfTexts(t, { 'i.yaml': file });
  assert.ok(!kinds(without).includes('ScaledObject'));
  assert.ok(without.notes.some((note) => note.endsWith('flow read while QUEUE has no value')));
  const { manifests } = await manifestsOfTexts(t, { 'i.yaml': file }, { QUEUE: 'q1' });
  assert.equal(at(ofKind(manifests, 'ScaledObject'), 'spec.triggers.0.metadata.queueName'), 'q1');
});

describe('one replica only', () => {
  const names = '  HOSTNAME: { default: local }\n';
  const mqtt = (more: string) => `{ mqtt: { url: "mqtt://mq", topics: [a], ${more} } }`;
  for (const [what, file, reason] of [
    [
      'dead letters in SQLite',
      reading(amqp, { config: amqpUrl }),
      /SQLite file \(\/integration\/Reader_1\.dowel\.db\).*store: \{ redis/,
    ],
    ['a durable flow', reading(http, { flow: '    durable: true' }), /SQLite file/],
    [
      'a store in memory',
      reading(http, { flow: '    durable: true', more: 'store: { memory: {} }' }),
      /memory of each replica/,
    ],
    ['a folder', reading('{ file: { path: ./in } }'), /flow read takes files/],
    ['a timer', reading('{ timer: { every: 1h } }'), /timer of the flow read/],
    [
      'mqtt without a group',
      reading(mqtt('clientId: me'), { flow: parked }),
      /every replica would get every message.*share/,
    ],
    [
      'a name of its own that all have from the ConfigMap',
      reading(mqtt('clientId: "${ID}", share: g'), { flow: parked, config: '  ID: { default: me }\n' }),
      /`clientId` of the flow read would be the same/,
    ],
    [
      'an exclusive reader',
      reading('{ amqp: { url: "${AMQP_URL}", queue: work, declare: { type: classic }, exclusive: true } }', {
        config: amqpUrl,
        flow: parked,
      }),
      /the only reader of its queue/,
    ],
    [
      'a name of its own that all would have',
      reading(mqtt('clientId: me, share: g'), { flow: parked }),
      /`clientId` of the flow read would be the same/,
    ],
  ] as const) {
    test(`${what}: also where more are asked for, and stderr says why`, async (t) => {
      const result = await manifestsOfTexts(t, { 'i.yaml': file }, {}, { replicas: 3 });
      for (const manifest of result.manifests) assertValid(manifest);
      const deployment = ofKind(result.manifests, 'Deployment');
      assert.equal(at(deployment, 'spec.replicas'), 1);
      assert.deepEqual(at(deployment, 'spec.strategy'), { type: 'Recreate' });
      for (const kind of ['PodDisruptionBudget', 'HorizontalPodAutoscaler', 'ScaledObject']) {
        assert.ok(!kinds(result).includes(kind), kind);
      }
      assert.match(result.notes.filter((note) => note.startsWith('one replica only: ')).join('\n'), reason);
    });
  }

  test('a shared store, and names by pod, allow several', async (t) => {
    for (const file of [
      reading(amqp, { config: amqpUrl, more: 'store: { postgres: { url: "postgresql://db/x" } }' }),
      reading(mqtt('clientId: "me-${HOSTNAME}", share: g'), { flow: parked, config: names }),
    ]) {
      const result = await manifestsOfTexts(t, { 'i.yaml': file });
      assert.ok(!result.notes.some((note) => note.startsWith('one replica')), result.notes.join('\n'));
      assert.ok(kinds(result).includes('PodDisruptionBudget'));
    }
  });
});

describe('the disk that outlives the pod', () => {
  const mounts = async (...args: Parameters<typeof manifestsOfTexts>) => {
    const { manifests } = await manifestsOfTexts(...args);
    assert.ok(manifests.some((one) => one.kind === 'PersistentVolumeClaim'));
    return at(ofKind(manifests, 'Deployment'), 'spec.template.spec.containers.0.volumeMounts');
  };

  test('is where the SQLite file is, at a path of its own', async (t) => {
    const more = 'store: { sqlite: { path: /var/lib/dowel/it.db } }';
    assert.deepEqual(await mounts(t, { 'i.yaml': reading(http, { more, flow: '    durable: true' }) }), [
      { name: 'data', mountPath: '/var/lib/dowel', subPath: 'var/lib/dowel' },
      { name: 'definition', mountPath: '/integration', readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
    ]);
  });

  test('files of a source: where they come, and where they go', async (t) => {
    const file = reading('{ file: { path: /in, done: { folder: /out/done }, failed: /out/failed } }');
    const paths = (await mounts(t, { 'i.yaml': file })) as readonly { readonly mountPath: string }[];
    assert.deepEqual(
      paths.map((one) => one.mountPath),
      ['/in', '/out/done', '/out/failed', '/integration', '/tmp'],
    );
  });

  test('beside the definition: its files are laid into it one by one; folders to watch are there', async (t) => {
    const file = reading('{ file: { path: ./in } }', { flow: '    durable: true' });
    assert.deepEqual(await mounts(t, { 'i.yaml': file }), [
      { name: 'data', mountPath: '/integration', subPath: 'integration' },
      { name: 'data', mountPath: '/integration/in', subPath: 'integration/in' },
      { name: 'definition', mountPath: '/integration/i.yaml', subPath: 'i.yaml', readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
    ]);
  });
});
