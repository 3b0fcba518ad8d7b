import type { TestContext } from 'node:test';
import type { Endpoint, Source } from '#sdk';
import type { NatsEndpointOptions, NatsSourceOptions } from '../../../connectors/nats/definition.ts';
import { endpoint, source } from '../../../connectors/nats/definition.ts';
import { openEndpoint } from '../../../connectors/nats/endpoint.ts';
import { openSource } from '../../../connectors/nats/source.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { defaultsOf } from '../../../src/schema/stand-in.ts';
import type { NatsServer } from '../../support/nats-server.ts';
import { freshName, type Opened, opened } from '../../support/opened.ts';
import { ManualFlow, type PlainOptions, plainContext } from '../../support/plain-context.ts';

/** A name that no other test has. */
export const fresh = (prefix = 'T'): string => freshName(prefix);

export const sourceOptions = (given: Partial<NatsSourceOptions>): NatsSourceOptions => ({
  ...(defaultsOf(source, '') as unknown as NatsSourceOptions),
  ...given,
});

export const endpointOptions = (given: Partial<NatsEndpointOptions>): NatsEndpointOptions => ({
  ...(defaultsOf(endpoint, '') as unknown as NatsEndpointOptions),
  ...given,
});

export const openedSource = (
  t: TestContext,
  given: Partial<NatsSourceOptions>,
  more: PlainOptions = {},
): Promise<Opened<Source>> =>
  opened(t, plainContext({ clock: systemClock, ...more }), (context) => openSource(sourceOptions(given), context));

export const openedEndpoint = (
  t: TestContext,
  given: Partial<NatsEndpointOptions>,
  more: PlainOptions = {},
): Promise<Opened<Endpoint>> =>
  opened(t, plainContext({ clock: systemClock, name: 'events', ...more }), (context) =>
    openEndpoint(endpointOptions(given), context),
  );

/** A client of the test's own, that does not go through what is tested. */
export async function outsider(t: TestContext, server: NatsServer) {
  const { connect } = await import('@nats-io/transport-node');
  const { jetstreamManager } = await import('@nats-io/jetstream');
  const connection = await connect({
    servers: `127.0.0.1:${server.port}`,
    reconnectTimeWait: 50,
    maxReconnectAttempts: -1,
  });
  t.after(() => connection.close());
  const manager = await jetstreamManager(connection, { checkAPI: false });
  const js = manager.jetstream();
  return {
    connection,
    manager,
    js,
    /** A stream of its own, with all subjects below its name. */
    async stream(): Promise<string> {
      const name = fresh();
      await manager.streams.add({ name, subjects: [`${name}.>`] });
      return name;
    },
    async put(subject: string, ...values: readonly unknown[]): Promise<void> {
      for (const value of values) await js.publish(subject, JSON.stringify(value));
    },
    async unacknowledged(stream: string, consumer: string): Promise<number> {
      const { num_ack_pending, num_pending } = await manager.consumers.info(stream, consumer);
      return num_ack_pending + num_pending;
    },
  };
}

export { ManualFlow };
