/** Of each connector that speaks to brokers: what its spans say, by the conventions for messaging. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Body, type Telemetry } from '#sdk';
import { telemetry as amqp } from '../../../connectors/amqp/telemetry.ts';
import { telemetry as kafka } from '../../../connectors/kafka/telemetry.ts';
import { telemetry as mqtt } from '../../../connectors/mqtt/telemetry.ts';
import { telemetry as nats } from '../../../connectors/nats/telemetry.ts';
import { telemetry as redis } from '../../../connectors/redis/telemetry.ts';
import { messagingEndpoint, messagingSource } from '../../../src/flow/watch/messaging.ts';
import { outgoing, plainContext } from '../../support/plain-context.ts';

type Facts = Readonly<Record<string, unknown>>;

const given = (facts: Facts): Facts =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));

function came({ messaging }: Telemetry, options: object, source: Facts): Facts {
  assert.ok(messaging);
  const telemetry = messagingSource(messaging, options, 'audit', false);
  const { name, attributes } = telemetry.began({
    body: Body.empty,
    headers: {},
    origin: { source, receivedAt: 0, attempt: 1 },
  });
  return { name, kind: telemetry.kind, ...given(attributes) };
}

function went({ messaging }: Telemetry, options: object, operation: Facts): Facts {
  assert.ok(messaging);
  const { name, kind, attributes } = messagingEndpoint(messaging, options, 'events').began(
    outgoing(plainContext(), { operation }),
  );
  return { name, kind, ...given(attributes) };
}

const process = { kind: 'consumer', 'messaging.operation.name': 'process', 'messaging.operation.type': 'process' };
const send = { kind: 'producer', 'messaging.operation.name': 'send', 'messaging.operation.type': 'send' };

describe('spans of brokers', () => {
  test('RabbitMQ: exchange, key and queue; the broker without its credentials', () => {
    const url = 'amqp://ann:canary@mq:5673/vhost';
    const facts = { exchange: 'orders', routingKey: 'order.placed', messageId: 'm1', correlationId: 'c1' };
    const server = { 'messaging.system': 'rabbitmq', 'server.address': 'mq', 'server.port': 5673 };
    assert.deepEqual(came(amqp, { url, queue: 'audit' }, facts), {
      ...process,
      ...server,
      name: 'process audit',
      'messaging.destination.name': 'orders:order.placed:audit',
      'messaging.rabbitmq.destination.routing_key': 'order.placed',
      'messaging.message.id': 'm1',
      'messaging.message.conversation_id': 'c1',
    });
    assert.deepEqual(went(amqp, { url: [url], exchange: { name: 'orders' } }, { routingKey: 'order.7' }), {
      ...send,
      ...server,
      name: 'send orders',
      'messaging.destination.name': 'orders:order.7',
      'messaging.rabbitmq.destination.routing_key': 'order.7',
    });
    // Of the default exchange, whose keys are names of queues, and may be of many.
    assert.equal(went(amqp, { url }, { routingKey: 'audit' })['name'], 'send events');
    assert.equal(
      came(amqp, { url, queue: 'audit' }, { exchange: '', routingKey: 'audit' })['messaging.destination.name'],
      'audit',
    );
  });

  test('a question that is answered is one of a client', () => {
    const { name, kind } = went(amqp, { url: 'amqp://mq', exchange: { name: 'rpc' } }, { answered: true });
    assert.deepEqual([name, kind], ['request rpc', 'client']);
  });

  test('Kafka: topic, partition, offset and group', () => {
    assert.deepEqual(
      came(kafka, { brokers: 'k1:9092, k2:9092' }, { topic: 'orders', partition: 0, offset: 12n, group: 'g' }),
      {
        ...process,
        'messaging.system': 'kafka',
        'server.address': 'k1',
        'server.port': 9092,
        name: 'process orders',
        'messaging.destination.name': 'orders',
        'messaging.destination.partition.id': '0',
        'messaging.kafka.offset': 12,
        'messaging.consumer.group.name': 'g',
      },
    );
    assert.equal(went(kafka, { brokers: ['k1:9092'], topic: 'orders' }, {})['messaging.destination.name'], 'orders');
  });

  test('MQTT: the topic, and the filter that took it', () => {
    const { name, ...attributes } = came(mqtt, { url: 'mqtt://mq' }, { topic: 'site/7/t', filter: 'site/+/t', qos: 1 });
    assert.equal(name, 'process site/+/t');
    assert.equal(attributes['messaging.destination.name'], 'site/7/t');
    assert.equal(attributes['messaging.destination.template'], 'site/+/t');
    assert.equal('server.port' in attributes, false);
    assert.equal(went(mqtt, { url: ['mqtts://mq'] }, { topic: 'site/7/set' })['name'], 'send events');
  });

  test('NATS and Redis: stream or subject, group and id', () => {
    const streamed = came(nats, { url: 'nats://n:4222' }, { subject: 'orders.7', stream: 'ORDERS', consumer: 'c' });
    assert.deepEqual([streamed['name'], streamed['messaging.destination.name']], ['process ORDERS', 'orders.7']);
    assert.equal(streamed['messaging.consumer.group.name'], 'c');
    const subjects = came(nats, { urls: ['nats://n:4222'], subjects: ['t.*'] }, { subject: 't.1' });
    assert.equal(subjects['name'], 'process t.*');
    const entry = came(redis, { url: 'redis://r:6379' }, { stream: 'orders', group: 'g', id: '1-0' });
    assert.deepEqual([entry['name'], entry['messaging.message.id']], ['process orders', '1-0']);
    const alarm = came(redis, { url: 'redis://r:6379' }, { channel: 'alarms.7', pattern: 'alarms.*' });
    assert.deepEqual([alarm['name'], alarm['messaging.destination.name']], ['process alarms.*', 'alarms.7']);
    assert.equal(went(redis, { url: 'redis://r', stream: 'orders' }, {})['name'], 'send orders');
  });
});
