/** The servers that integrations talk to, as `npm run brokers` starts them: on their usual ports of the loopback interface. */

import { freePort } from './free-port.ts';
import { kafkaJars } from './kafka-jars.ts';
import { howToGetKafka, RealKafka } from './kafka-server.ts';
import { MosquittoServer, mosquittoProgram } from './mosquitto-server.ts';
import { NatsServer, natsProgram } from './nats-server.ts';
import { PostgresServer, postgresProgram } from './postgres-server.ts';
import { RabbitmqServer, rabbitmqProgram } from './rabbitmq-server.ts';
import { RedisServer, redisProgram } from './redis-server.ts';

export interface Running {
  readonly server: AsyncDisposable;
  /** Environment variables that say where it is. */
  readonly says: Readonly<Record<string, string>>;
}

export interface Broker {
  readonly name: string;
  /** Where it usually listens. */
  readonly port: number;
  /** Why it cannot be started; `undefined` when it can. */
  readonly missing: () => Promise<string | undefined>;
  readonly start: (port: number) => Promise<Running>;
}

const packaged = (name: string, program: string | undefined) => async (): Promise<string | undefined> =>
  program === undefined ? `not installed: apt-get install ${name}` : undefined;

export const brokers: readonly Broker[] = [
  {
    name: 'rabbitmq',
    port: 5672,
    missing: packaged('rabbitmq-server', rabbitmqProgram),
    async start(port) {
      const server = await RabbitmqServer.start({ port });
      return { server, says: { AMQP_URL: server.url } };
    },
  },
  {
    name: 'mosquitto',
    port: 1883,
    missing: packaged('mosquitto', mosquittoProgram),
    async start(port) {
      const server = await MosquittoServer.start({ port });
      return { server, says: { MQTT_URL: server.url } };
    },
  },
  {
    name: 'nats',
    port: 4222,
    missing: packaged('nats-server', natsProgram),
    async start(port) {
      const server = await NatsServer.start({ port });
      return { server, says: { NATS_URL: server.url } };
    },
  },
  {
    name: 'redis',
    port: 6379,
    missing: packaged('redis-server', redisProgram),
    async start(port) {
      const server = await RedisServer.startAt(port);
      return { server, says: { REDIS_URL: server.url } };
    },
  },
  {
    name: 'postgres',
    port: 5432,
    missing: packaged('postgresql', postgresProgram),
    async start(port) {
      const server = await PostgresServer.start(port);
      return { server, says: { POSTGRES_URL: server.url, POSTGRES_PASSWORD: server.password } };
    },
  },
  {
    name: 'kafka',
    port: 9092,
    async missing() {
      const jars = await kafkaJars();
      return 'missing' in jars ? `${jars.missing}; it ${howToGetKafka}` : undefined;
    },
    async start(port) {
      const node = { id: 1, of: [{ port, controller: await freePort() }] };
      const server = await RealKafka.start({ node, settings: { 'auto.create.topics.enable': 'true' } });
      if (!server) throw new Error(howToGetKafka);
      return { server, says: { KAFKA_BROKERS: server.brokers } };
    },
  },
];
