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
    const model = await connect(whereTo(address, options), how(options, called, version, dialling.signal));
    gatherWrites(model);
    return model;
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

interface Stream {
  write(...frame: readonly unknown[]): boolean;
  cork(): void;
  uncork(): void;
  destroy(): void;
}

/** What is under a connection: the client gives no other way to it. */
interface Under {
  readonly stream?: Stream;
  readonly heartbeater?: { clear(): void } | null;
}

const under = ({ connection }: ChannelModel): Under => connection as unknown as Under;

/** Ends a connection without asking: of one that is half dead nobody would ever hear that it is closed. */
export function cut(model: ChannelModel): void {
  const { stream, heartbeater } = under(model);
  stream?.destroy();
  // They would wait for signs of life for two intervals more, and the process with them.
  heartbeater?.clear();
}

/**
 * Frames that the client writes one after the other go out together, by one call of the operating system instead of one
 * for each: a call costs as much as all the rest of sending a small message.
 */
function gatherWrites(model: ChannelModel): void {
  const { stream } = under(model);
  if (!stream) return;
  const write = stream.write.bind(stream);
  let gathers = false;
  const end = (): void => {
    gathers = false;
    stream.uncork();
  };
  stream.write = (...frame) => {
    if (!gathers) {
      gathers = true;
      stream.cork();
      process.nextTick(end);
    }
    return write(...frame);
  };
}
