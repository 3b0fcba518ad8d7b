import type { ConnectorContext } from '#sdk';
import { Connection } from './connection.ts';
import type { ConnectionOptions } from './connection-options.ts';

/** Consuming and publishing have connections of their own: a broker that holds publishers back must not hold back acknowledgements. */
export type Role = 'consuming' | 'publishing';

/** The connection that all with equal settings share. */
export function connectionFor(
  role: Role,
  options: ConnectionOptions,
  context: ConnectorContext,
): { readonly value: Connection; release(): Promise<void> } {
  const { url, username, password, auth, tls, heartbeat, connectTimeout } = options;
  const settings = { url, username, password, auth, tls, heartbeat, connectTimeout };
  const { name, version } = context.integration;
  const dialling = { options: settings, called: `${name} (${role})`, version };
  const { clock, random, log } = context;
  return context.share(
    `amqp:${role}:${JSON.stringify(settings)}`,
    () => new Connection(dialling, { clock, random, log }),
  );
}
