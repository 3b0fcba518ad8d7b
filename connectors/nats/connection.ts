import { createHash } from 'node:crypto';
import { type ConnectorContext, Link, optionalPackage } from '#sdk';
import type { ConnectionOptions } from './connection-options.ts';
import { explain } from './trouble.ts';

export type Library = typeof import('@nats-io/transport-node');
export type Connection = import('@nats-io/transport-node').NatsConnection;
export type Message = import('@nats-io/transport-node').Msg;

/** A connection, and what its library can do. */
export interface Connected {
  readonly connection: Connection;
  readonly library: Library;
  /** Resolves when the server has all that was sent before; rejects when the connection is gone. */
  flush(): Promise<void>;
}

/** The connection to the servers of `options`, shared by all who give the same; not begun yet. */
export function connectionTo(
  options: ConnectionOptions,
  context: ConnectorContext,
): { readonly value: Link<Connected>; release(): Promise<void> } {
  const { url, urls, username, password, token, nkey, credentials, tls, heartbeat, connectTimeout } = options;
  const settings = [
    [url, urls, username, password, token, nkey, credentials?.text],
    [tls?.ca?.text, tls?.cert?.text, tls?.key?.text, tls?.rejectUnauthorized, tls?.servername],
    [heartbeat, connectTimeout],
  ];
  const key = createHash('sha256').update(JSON.stringify(settings)).digest('hex');
  return context.share(`nats:${key}`, () => linkTo(options, context));
}

const textOf = (part: string): string => decodeURIComponent(part);

function linkTo(options: ConnectionOptions, context: ConnectorContext): Link<Connected> {
  const urls = (options.urls ?? [options.url ?? '']).map((text) => new URL(text));
  const servers = urls.map((url) => `${url.hostname}:${url.port === '' ? 4222 : url.port}`);
  const plan = {
    far: `NATS at ${servers.join(', ')}`,
    open: () => connect(options, urls, servers, context.integration.name),
    lost: ({ connection }: Connected) => lost(connection),
    close: ({ connection }: Connected) => connection.close(),
    explain,
  };
  return new Link(plan, context);
}

async function connect(
  options: ConnectionOptions,
  urls: readonly URL[],
  servers: readonly string[],
  name: string,
): Promise<Connected> {
  const library = await optionalPackage(
    'The connector `nats`',
    '@nats-io/transport-node@3 @nats-io/jetstream@3',
    () => import('@nats-io/transport-node'),
  );
  const { heartbeat, connectTimeout } = options;
  const tls = tlsOf(options, urls);
  const connection = await library.connect({
    servers: [...servers],
    name,
    authenticator: authenticatorOf(options, urls, library),
    ...(tls ? { tls } : {}),
    timeout: connectTimeout,
    pingInterval: heartbeat,
    maxPingOut: 2,
    // Ours to do: what is sent must not wait in a buffer of which nobody knows.
    reconnect: false,
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
  });
  return { connection, library, flush: flusher(connection) };
}

/** The library's own leaves whoever waits for a connection that was closed waiting for ever. */
function flusher(connection: Connection): () => Promise<void> {
  const waiting = new Set<(reason: Error) => void>();
  void connection.closed().then(() => {
    for (const reject of waiting) reject(new Error('the connection was closed'));
  });
  return () =>
    new Promise((resolve, reject) => {
      if (connection.isClosed()) {
        reject(new Error('the connection was closed'));
        return;
      }
      waiting.add(reject);
      connection
        .flush()
        .finally(() => waiting.delete(reject))
        .then(resolve, reject);
    });
}

function tlsOf({ tls }: ConnectionOptions, urls: readonly URL[]): object | undefined {
  if (!tls && urls.every((url) => url.protocol !== 'tls:')) return undefined;
  return {
    ...(tls?.ca && { ca: tls.ca.text }),
    ...(tls?.cert && { cert: tls.cert.text }),
    ...(tls?.key && { key: tls.key.text }),
    ...(tls?.servername !== undefined && { servername: tls.servername }),
    ...(tls && { rejectUnauthorized: tls.rejectUnauthorized }),
  };
}

function authenticatorOf(options: ConnectionOptions, urls: readonly URL[], library: Library) {
  const { username, password, token, nkey, credentials } = options;
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  if (credentials) return library.credsAuthenticator(bytes(credentials.text));
  if (nkey !== undefined) return library.nkeyAuthenticator(bytes(nkey));
  if (token !== undefined) return library.tokenAuthenticator(token);
  if (username !== undefined) return library.usernamePasswordAuthenticator(username, password);
  const named = urls.find((url) => url.username !== '');
  if (!named) return [];
  if (named.password === '') return library.tokenAuthenticator(textOf(named.username));
  return library.usernamePasswordAuthenticator(textOf(named.username), textOf(named.password));
}

async function lost(connection: Connection): Promise<string> {
  const error = await connection.closed();
  return error ? explain(error).detail : 'the connection was closed';
}
