import { type ChannelModel, connect, credentials, type Options, type SocketOptions } from 'amqplib';
import type { Address } from './address.ts';
import type { ConnectionOptions } from './connection-options.ts';

type Tls = NonNullable<ConnectionOptions['tls']>;

export interface Dialling {
  readonly options: ConnectionOptions;
  /** What the broker shows to operators. */
  readonly called: string;
  readonly version: string | undefined;
}

/** One attempt to open one connection; `signal` ends it. */
export async function dial(
  address: Address,
  { options, called, version }: Dialling,
  signal: AbortSignal,
): Promise<ChannelModel> {
  // It would end the connection too, once that is open.
  const dialling = new AbortController();
  const giveUp = (): void => dialling.abort();
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    return await connect(whereTo(address, options), how(options, called, version, dialling.signal));
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

function whereTo({ tls, host, port, vhost, username, password }: Address, options: ConnectionOptions): Options.Connect {
  return {
    protocol: tls ? 'amqps' : 'amqp',
    hostname: host,
    port,
    vhost,
    ...(options.auth === 'certificate' ? {} : { username, password }),
    heartbeat: Math.round(options.heartbeat / 1000),
  };
}

function how(
  { tls, auth, connectTimeout }: ConnectionOptions,
  called: string,
  version: string | undefined,
  signal: AbortSignal,
): SocketOptions {
  // A setting of sockets that the types of the client do not know.
  const cancellable: object = { signal };
  return {
    ...cancellable,
    ...(auth === 'certificate' ? { credentials: credentials.external() } : {}),
    noDelay: true,
    keepAlive: true,
    keepAliveDelay: 30_000,
    timeout: connectTimeout,
    clientProperties: { product: 'Dowel', version: version ?? '', connection_name: called },
    ...(tls ? tlsOptions(tls) : {}),
  };
}

const tlsOptions = ({ ca, cert, key, rejectUnauthorized, servername }: Tls): SocketOptions => ({
  ...(ca ? { ca: ca.text } : {}),
  ...(cert ? { cert: cert.text } : {}),
  ...(key ? { key: key.text } : {}),
  rejectUnauthorized,
  ...(servername === undefined ? {} : { servername }),
});

/** Ends a connection without asking: of one that is half dead nobody would ever hear that it is closed. */
export function cut(model: ChannelModel): void {
  const { stream } = model.connection as unknown as { readonly stream?: { destroy(): void } };
  stream?.destroy();
}
