import { createHash } from 'node:crypto';
import { atMost, type Clock, type ConnectorContext, Link, optionalPackage } from '#sdk';
import type { ConnectionOptions } from './connection-options.ts';
import { explain, replyOf } from './trouble.ts';

type Library = typeof import('@redis/client');
type Client = import('@redis/client').RedisClientType;

export type Argument = string | Buffer;

/** The connection for commands, shared by all who give the same options; not begun yet. */
export function connectionTo(
  options: ConnectionOptions,
  context: ConnectorContext,
): { readonly value: Link<Connection>; release(): Promise<void> } {
  const { url, username, password, tls, heartbeat, connectTimeout } = options;
  const settings = [
    [url, username, password, heartbeat, connectTimeout],
    [tls?.ca?.text, tls?.cert?.text, tls?.key?.text, tls?.rejectUnauthorized, tls?.servername],
  ];
  const key = createHash('sha256').update(JSON.stringify(settings)).digest('hex');
  const plan = {
    far: farOf(options),
    open: () => Connection.open(options, context),
    lost: (connection: Connection) => connection.lost,
    close: (connection: Connection) => connection.close(),
    explain,
  };
  return context.share(`redis:${key}`, () => new Link(plan, context));
}

/** Without credentials. */
export const farOf = ({ url }: ConnectionOptions): string => `Redis at ${new URL(url).host}`;

/** One connection: its end is final, and whoever waits for an answer then is told. */
export class Connection {
  readonly lost: Promise<string>;
  readonly #client: Client;
  readonly #clock: Clock;
  #isLost = false;
  #lose: (why: string) => void = () => {};
  #cancelBeat: () => void = () => {};

  private constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
    this.lost = new Promise((resolve) => {
      this.#lose = (why) => {
        this.#isLost = true;
        resolve(why);
      };
    });
    client.on('error', (error: unknown) => this.#lose(explain(error).detail));
    client.on('end', () => this.#lose('the connection was closed'));
  }

  /** `listening`: for channels. `blocking`: waits for answers as long as it asks the server to, and asks nothing else. */
  static async open(
    options: ConnectionOptions,
    { clock, integration }: ConnectorContext,
    { listening = false, blocking = false }: { readonly listening?: boolean; readonly blocking?: boolean } = {},
  ): Promise<Connection> {
    const library = await optionalPackage('The connector `redis`', '@redis/client@6', () => import('@redis/client'));
    const connection = new Connection(clientOf(library, options, integration.name, listening), clock);
    const late = Promise.withResolvers<never>();
    const cancel = clock.after(options.connectTimeout, () => {
      connection.drop('no answer in time');
      late.reject(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
    });
    try {
      await Promise.race([connection.#client.connect(), late.promise]);
    } catch (thrown) {
      connection.drop('not connected');
      throw thrown;
    } finally {
      cancel();
    }
    if (!blocking) connection.#beat(options.heartbeat);
    return connection;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  async command(...args: readonly Argument[]): Promise<unknown> {
    if (this.#isLost) throw Object.assign(new Error('the connection was closed'), { code: 'EPIPE' });
    try {
      return await this.#client.sendCommand([...args]);
    } catch (thrown) {
      // It has become a replica: the name may by now lead to the server that took over.
      if (replyOf(thrown) === 'READONLY') this.drop('the server has become a replica');
      throw thrown;
    }
  }

  listen(
    what: { readonly channels: readonly string[]; readonly patterns: readonly string[] },
    take: (body: Buffer, channel: string, pattern?: string) => void,
  ): Promise<unknown> {
    const { channels, patterns } = what;
    const listener = (body: Buffer, channel: Buffer): void => take(body, channel.toString());
    return Promise.all([
      ...(channels.length > 0 ? [this.#client.subscribe([...channels], listener, true)] : []),
      ...patterns.map((pattern) =>
        this.#client.pSubscribe(
          pattern,
          (body: Buffer, channel: Buffer) => take(body, channel.toString(), pattern),
          true,
        ),
      ),
    ]);
  }

  /** Asks every `ms` whether the server is there; without an answer until the next time the connection is given up. */
  #beat(ms: number): void {
    let answered = true;
    const next = (): void => {
      this.#cancelBeat = this.#clock.after(
        ms,
        () => {
          if (!answered) {
            this.drop('the server fell silent');
            return;
          }
          answered = false;
          this.command('PING').then(
            () => {
              answered = true;
            },
            () => {},
          );
          next();
        },
        true,
      );
    };
    next();
  }

  /** Ends it at once. */
  drop(why: string): void {
    this.#lose(why);
    this.#cancelBeat();
    if (this.#client.isOpen) this.#client.destroy();
  }

  /** What was sent is answered before; not for longer than the server takes to answer once more. */
  async close(): Promise<void> {
    if (this.#isLost) {
      this.drop('closed');
      return;
    }
    const answered = this.command('PING').catch(() => undefined);
    await atMost(this.#clock, 1_000, answered);
    this.drop('closed');
  }
}

function clientOf(library: Library, options: ConnectionOptions, name: string, listening: boolean): Client {
  const { url, username, password, tls, connectTimeout } = options;
  const socket = {
    connectTimeout,
    // Ours to do: what is sent must not wait in a queue of which nobody knows.
    reconnectStrategy: false as const,
  };
  return library.createClient({
    url,
    // Answers of streams are lists then; only with 3 can a connection that listens still be asked something.
    RESP: listening ? 3 : 2,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    name: name.replaceAll(/[^!-~]/g, '-'),
    socket: tls
      ? {
          ...socket,
          tls: true as const,
          ...(tls.ca && { ca: tls.ca.text }),
          ...(tls.cert && { cert: tls.cert.text }),
          ...(tls.key && { key: tls.key.text }),
          ...(tls.servername !== undefined && { servername: tls.servername }),
          rejectUnauthorized: tls.rejectUnauthorized,
        }
      : socket,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    commandOptions: { typeMapping: { [library.RESP_TYPES.BLOB_STRING]: Buffer } },
  }) as unknown as Client;
}
