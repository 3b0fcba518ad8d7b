import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createTopic, fresh } from '../connectors/kafka/support.ts';
import { kafkaJars } from '../support/kafka-jars.ts';
import { howToGetKafka, RealKafka, sharedKafka } from '../support/kafka-server.ts';
import { MosquittoServer, mosquittoProgram } from '../support/mosquitto-server.ts';
import { NatsServer, natsProgram } from '../support/nats-server.ts';
import { RabbitmqServer, rabbitmqProgram } from '../support/rabbitmq-server.ts';
import { RedisServer, redisProgram } from '../support/redis-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import type { Subject, Waiting } from './subject.ts';

const missing = async (program: string | undefined, name: string): Promise<string | undefined> =>
  program === undefined ? `not installed: apt-get install ${name}` : undefined;

interface Broker extends AsyncDisposable {
  readonly port: number;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** The one that takes is connected through a proxy, the one that hands over is not. */
async function behindProxy(
  broker: Broker,
  describe: (takenFrom: number) => Pick<Waiting, 'from' | 'to'>,
): Promise<Waiting> {
  const proxy = await TcpProxy.before(broker.port);
  return {
    ...describe(proxy.port),
    async restart() {
      await broker.kill();
      await broker.start();
    },
    cut: (how) => (how === 'reset' ? proxy.reset() : proxy.mute()),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await broker[Symbol.asyncDispose]();
    },
  };
}

const ofRuntime = ['kill', 'stop', 'reload', 'pause'] as const;
const all = [...ofRuntime, 'broker', 'reset', 'mute'] as const;

const amqp: Subject = {
  name: 'amqp',
  faults: all,
  missing: () => missing(rabbitmqProgram, 'rabbitmq-server'),
  start: async (shared) => {
    const broker = await (shared ? RabbitmqServer.shared() : RabbitmqServer.start());
    const at = (port: number): string => `url: "${broker.url.replace(String(broker.port), String(port))}"`;
    const waiting = await behindProxy(broker, (port) => ({
      from: `amqp: { ${at(port)}, queue: faults, prefetch: 50, heartbeat: 2s }`,
      to: { endpoint: `amqp: { ${at(broker.port)} }`, send: 'amqp: { routingKey: faults }' },
    }));
    const restart = async (): Promise<void> => {
      // RabbitMQ 3.10 may lose a quorum queue that was made less than a second before.
      await pause(1000);
      await waiting.restart?.();
    };
    return { ...waiting, restart };
  },
};

const mqtt: Subject = {
  name: 'mqtt',
  // Not `broker`: Mosquitto acknowledges before it has written anything to disk, and forgets when it is killed. Not `mute`:
  // Mosquitto 2.0.11 sends far more than the receive maximum; what is done before the silence is noticed comes again.
  faults: [...ofRuntime, 'reset'],
  missing: () => missing(mosquittoProgram, 'mosquitto'),
  start: async () => {
    // It is not killed here; writing all it has to disk after every message would make it slow beyond measure.
    const settings = (): readonly string[] => ['max_queued_messages 0', 'autosave_on_changes false'];
    const broker = await MosquittoServer.start({ settings });
    const at = (port: number): string => `url: "mqtt://127.0.0.1:${port}"`;
    return behindProxy(broker, (port) => ({
      from: `mqtt: { ${at(port)}, topics: [faults], clientId: faults-taker, receiveMaximum: 50, keepalive: 2s }`,
      to: { endpoint: `mqtt: { ${at(broker.port)} }`, send: 'mqtt: { topic: faults }' },
    }));
  },
};

const nats: Subject = {
  name: 'nats',
  faults: all,
  missing: () => missing(natsProgram, 'nats-server'),
  start: async () => {
    const broker = await NatsServer.start();
    const at = (port: number): string => `url: "nats://127.0.0.1:${port}"`;
    return behindProxy(broker, (port) => ({
      from: `nats: { ${at(port)}, stream: FAULTS, declare: { subjects: [ faults ] }, consumer: faults, prefetch: 50, ackWait: 5s }`,
      to: { endpoint: `nats: { ${at(broker.port)} }`, send: 'nats: { subject: faults }' },
    }));
  },
};

const redis: Subject = {
  name: 'redis',
  faults: all,
  missing: () => missing(redisProgram, 'redis-server'),
  start: async () => {
    const broker = await RedisServer.start();
    const at = (port: number): string => `url: "redis://127.0.0.1:${port}"`;
    return behindProxy(broker, (port) => ({
      from: `redis: { ${at(port)}, stream: faults, group: faults, consumer: taker, prefetch: 50, claimAfter: 2s, heartbeat: 1s }`,
      to: { endpoint: `redis: { ${at(broker.port)}, stream: faults }`, send: 'redis: {}' },
    }));
  },
};

const kafka: Subject = {
  name: 'kafka',
  faults: [...ofRuntime, 'broker'],
  optional: true,
  missing: async () => {
    const jars = await kafkaJars();
    return 'missing' in jars ? `${howToGetKafka} (${jars.missing})` : undefined;
  },
  start: async (shared) => {
    const broker = await (shared ? sharedKafka() : RealKafka.start());
    if (!broker) throw new Error('there is no broker');
    const topic = fresh('faults');
    await createTopic(broker.brokers, topic, 1);
    const at = `brokers: [ "${broker.brokers}" ]`;
    return {
      from: `kafka: { ${at}, topics: [ ${topic} ], group: ${topic}, instance: taker }`,
      to: { endpoint: `kafka: { ${at}, topic: ${topic} }`, send: 'kafka: {}' },
      async restart() {
        if (!(broker instanceof RealKafka)) return;
        await broker.kill();
        await broker.start();
      },
      [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
    };
  },
};

/** 202 from an http source that keeps what it accepts in the store. */
const accepted: Subject = {
  name: 'accepted',
  faults: ofRuntime,
  missing: async () => undefined,
  start: async () => ({
    from: 'http: { method: POST, path: /feed, reply: accepted }',
    [Symbol.asyncDispose]: async () => {},
  }),
};

/** Files in a folder: claimed by renaming, deleted when they are done. */
const file: Subject = {
  name: 'file',
  faults: ofRuntime,
  missing: async () => undefined,
  start: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dowel-faults-in-'));
    return {
      from: `file: { path: ${folder}, glob: "*.json", every: 20ms, settle: 0s, done: { delete: true }, maxAttempts: 100 }`,
      to: { endpoint: `file: { path: ${folder} }`, send: 'file: { name: "${{ id }}.json" }' },
      again: '',
      [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
};

export const subjects: readonly Subject[] = [accepted, file, amqp, mqtt, nats, redis, kafka];
