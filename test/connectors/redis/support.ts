import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { Endpoint, Source } from '#sdk';
import type { RedisEndpointOptions, RedisSourceOptions } from '../../../connectors/redis/definition.ts';
import { endpoint, source } from '../../../connectors/redis/definition.ts';
import { openEndpoint } from '../../../connectors/redis/endpoint.ts';
import { openSource } from '../../../connectors/redis/source.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { defaultsOf } from '../../../src/schema/stand-in.ts';
import { ManualFlow, type PlainContext, type PlainOptions, plainContext } from '../../support/plain-context.ts';

/** A name that no other test has. */
export const fresh = (prefix = 'stream'): string => `${prefix}-${randomUUID().slice(0, 8)}`;

export const sourceOptions = (given: Partial<RedisSourceOptions>): RedisSourceOptions => ({
  ...(defaultsOf(source, '') as unknown as RedisSourceOptions),
  ...given,
});

export const endpointOptions = (given: Partial<RedisEndpointOptions>): RedisEndpointOptions => ({
  ...(defaultsOf(endpoint, '') as unknown as RedisEndpointOptions),
  ...given,
});

export interface Opened<T> {
  readonly it: T;
  readonly context: PlainContext;
}

/** Ids differ between processes; the context of tests draws the same ones each time. */
const withOwnIds = (context: PlainContext): PlainContext => ({
  ...context,
  random: { ...context.random, uuid: () => randomUUID() },
});

export async function openedSource(
  t: TestContext,
  given: Partial<RedisSourceOptions>,
  more: PlainOptions = {},
): Promise<Opened<Source>> {
  const context = withOwnIds(plainContext({ clock: systemClock, ...more }));
  const it = await openSource(sourceOptions(given), context);
  t.after(() => it.close());
  return { it, context };
}

export async function openedEndpoint(
  t: TestContext,
  given: Partial<RedisEndpointOptions>,
  more: PlainOptions = {},
): Promise<Opened<Endpoint>> {
  const context = plainContext({ clock: systemClock, name: 'events', ...more });
  const it = await openEndpoint(endpointOptions(given), context);
  t.after(() => it.close());
  return { it, context };
}

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
