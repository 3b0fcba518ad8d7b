import type { TestContext } from 'node:test';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import {
  Body,
  type Deliver,
  type Endpoint,
  type Exchange,
  type Failure,
  failure,
  type Headers,
  noHeaders,
  type Source,
} from '#sdk';
import { definition, type EndpointOptions, type SourceOptions } from '../../../connectors/mqtt/definition.ts';
import { openEndpoint } from '../../../connectors/mqtt/endpoint.ts';
import { openSource } from '../../../connectors/mqtt/source.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { Life } from '../../../src/core/life.ts';
import type { MosquittoServer } from '../../support/mosquitto-server.ts';
import {
  ManualFlow,
  outgoing,
  type PlainContext,
  type PlainOptions,
  plainContext,
} from '../../support/plain-context.ts';

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
  options: IClientOptions = {},
): Promise<void> {
  const properties = { sessionExpiryInterval: 3600 };
  const client = await stranger(broker, { ...options, clientId, clean: false, properties });
  await client.subscribeAsync([...topics], { qos });
  await client.endAsync();
}

/** Everything that is published from now on, as somebody else sees it. */
export async function listen(
  t: TestContext,
  broker: MosquittoServer,
  topic: string,
  options: IClientOptions = {},
): Promise<readonly IPublishPacket[]> {
  const client = await stranger(broker, options);
  t.after(() => client.endAsync(true));
  const packets: IPublishPacket[] = [];
  client.on('message', (_topic, _payload, packet) => packets.push(packet));
  await client.subscribeAsync(topic, { qos: 1 });
  return packets;
}

export interface Opened {
  readonly source: Source;
  readonly flow: ManualFlow;
  readonly context: PlainContext;
  /** What was handed over, as text. */
  texts(): Promise<readonly string[]>;
  /** Settles everything and closes. */
  end(): Promise<void>;
}

/** A source whose messages the test settles by hand (or `deliver` does). */
export async function opened(t: TestContext, given: Partial<SourceOptions>, more: PlainOptions = {}): Promise<Opened> {
  const flow = new ManualFlow();
  let over = false;
  const deliver: Deliver = (message) =>
    over ? Promise.reject(failure('stopping', {}, { kind: 'cancelled' })) : (more.deliver ?? flow.deliver)(message);
  const context = plainContext({ clock: systemClock, ...more, deliver });
  const source = await openSource(sourceOptions(given), context);
  const end = async (): Promise<void> => {
    over = true;
    await source.stop();
    for (const one of flow.deliveries) one.resolve();
    await source.close();
  };
  t.after(end);
  const texts = (): Promise<readonly string[]> =>
    Promise.all(
      flow.deliveries.map(async ({ message }) =>
        Buffer.from((await message.body.bytes(context.services.codec)) as string).toString(),
      ),
    );
  return { source, flow, context, texts, end };
}

/** An endpoint, and a way to send over it as the step does. */
export async function openedEndpoint(
  t: TestContext,
  given: Partial<EndpointOptions>,
  more: PlainOptions = {},
): Promise<{
  readonly endpoint: Endpoint;
  readonly context: PlainContext;
  send(
    operation: object,
    message?: { readonly body?: Body; readonly headers?: Headers; readonly within?: number },
  ): Promise<Exchange | undefined>;
}> {
  const context = plainContext({ clock: systemClock, name: 'devices', ...more });
  const endpoint = await openEndpoint(endpointOptions(given), context);
  t.after(() => endpoint.close());
  return {
    endpoint,
    context,
    send(operation, { body = Body.empty, headers = noHeaders, within } = {}) {
      const exchange = outgoing(context, { body, ownHeaders: headers, operation });
      if (within === undefined) return endpoint.handle(exchange);
      const late = (): Failure => failure('timeout', { endpoint: 'devices', ms: within });
      const life = new Life(context.clock, { deadline: context.clock.monotonic() + within, late });
      return endpoint.handle(exchange.withLife(life)).finally(() => life.end());
    },
  };
}

/** The packet ids in the order in which the broker got their acknowledgements from a client. */
export const acknowledged = (broker: MosquittoServer, clientId: string): readonly number[] =>
  [...broker.log.matchAll(/Received PUBACK from (\S+) \(Mid: (\d+)/g)].flatMap(([, who, id]) =>
    who === clientId ? [Number(id)] : [],
  );
