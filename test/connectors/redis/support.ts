import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { Endpoint, Source } from '#sdk';
import type { RedisEndpointOptions, RedisSourceOptions } from '../../../connectors/redis/definition.ts';
import { endpoint, source } from '../../../connectors/redis/definition.ts';
import { openEndpoint } from '../../../connectors/redis/endpoint.ts';
import { openSource } from '../../../connectors/redis/source.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { defaultsOf } from '../../../src/schema/stand-in.ts';
import { freshName, type Opened, opened } from '../../support/opened.ts';
import { ManualFlow, type PlainContext, type PlainOptions, plainContext } from '../../support/plain-context.ts';

/** A name that no other test has. */
export const fresh = (prefix = 'stream'): string => freshName(`${prefix}-`);

export const sourceOptions = (given: Partial<RedisSourceOptions>): RedisSourceOptions => ({
  ...(defaultsOf(source, '') as unknown as RedisSourceOptions),
  ...given,
});

export const endpointOptions = (given: Partial<RedisEndpointOptions>): RedisEndpointOptions => ({
  ...(defaultsOf(endpoint, '') as unknown as RedisEndpointOptions),
  ...given,
});

/** Ids differ between processes; the context of tests draws the same ones each time. */
const withOwnIds = (context: PlainContext): PlainContext => ({
  ...context,
  random: { ...context.random, uuid: () => randomUUID() },
});

export const openedSource = (
  t: TestContext,
  given: Partial<RedisSourceOptions>,
  more: PlainOptions = {},
): Promise<Opened<Source>> =>
  opened(t, withOwnIds(plainContext({ clock: systemClock, ...more })), (context) =>
    openSource(sourceOptions(given), context),
  );

export const openedEndpoint = (
  t: TestContext,
  given: Partial<RedisEndpointOptions>,
  more: PlainOptions = {},
): Promise<Opened<Endpoint>> =>
  opened(t, plainContext({ clock: systemClock, name: 'events', ...more }), (context) =>
    openEndpoint(endpointOptions(given), context),
  );

/** A client of the test's own, that does not go through what is tested. */
export async function outsider(t: TestContext, server: { readonly url: string }) {
  const { createClient } = await import('@redis/client');
  const client = createClient({ url: server.url, RESP: 2, socket: { reconnectStrategy: 20 } });
  client.on('error', () => {});
  await client.connect();
  t.after(() => client.destroy());
  const command = (...args: readonly string[]) => client.sendCommand([...args]);
  return {
    client,
    command,
    async put(stream: string, ...values: readonly unknown[]): Promise<void> {
      for (const value of values) await command('XADD', stream, '*', 'body', JSON.stringify(value));
    },
    /** How many entries of the group nobody has acknowledged. */
    async pending(stream: string, group: string): Promise<number> {
      const [count] = (await command('XPENDING', stream, group)) as unknown as readonly number[];
      return Number(count);
    },
  };
}

export { ManualFlow };
