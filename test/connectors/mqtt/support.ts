import type { TestContext } from 'node:test';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import { definition, type EndpointOptions, type SourceOptions } from '../../../connectors/mqtt/definition.ts';
import type { MosquittoServer } from '../../support/mosquitto-server.ts';

/** Options as the reader of the language makes them, with every default filled in. */
function filled(properties: Readonly<Record<string, object>>, given: object): object {
  const defaults = Object.entries(properties).flatMap(([name, schema]) =>
    'default' in schema ? [[name, inUnits(schema.default)]] : [],
  );
  return { ...Object.fromEntries(defaults), ...given };
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function inUnits(value: unknown): unknown {
  const [, count, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(String(value)) ?? [];
  return unit === undefined ? value : Number(count) * units[unit as keyof typeof units];
}

export const sourceOptions = (given: Partial<SourceOptions>): SourceOptions =>
  filled(definition.source.properties, given) as SourceOptions;

export const endpointOptions = (given: Partial<EndpointOptions>): EndpointOptions =>
  filled(definition.endpoint.properties, given) as EndpointOptions;

/** A client of somebody else, at the broker itself. */
export async function stranger(broker: MosquittoServer, options: IClientOptions = {}): Promise<MqttClient> {
  const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5, ...options });
  client.on('error', () => {});
  return client;
}

/** Begins a session, so that messages wait there for who comes under its name. */
export async function beginSession(
  broker: MosquittoServer,
  clientId: string,
  topics: readonly string[],
  qos: 1 | 2 = 1,
): Promise<void> {
  const properties = { sessionExpiryInterval: 3600 };
  const client = await stranger(broker, { clientId, clean: false, properties });
  await client.subscribeAsync([...topics], { qos });
  await client.endAsync();
}

/** Everything that is published from now on, as somebody else sees it. */
export async function listen(
  t: TestContext,
  broker: MosquittoServer,
  topic: string,
): Promise<readonly IPublishPacket[]> {
  const client = await stranger(broker);
  t.after(() => client.endAsync(true));
  const packets: IPublishPacket[] = [];
  client.on('message', (_topic, _payload, packet) => packets.push(packet));
  await client.subscribeAsync(topic, { qos: 1 });
  return packets;
}
