/** One connection to the server, over which all commands go: kept up, and given up when the server falls silent. */
import { createHash } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/exchange.ts';
import { optionalPackage } from '../../core/optional-package.ts';
import { Failure, failure } from '../../errors.ts';
import type { RedisOptions } from '../options.ts';
import { within } from '../within.ts';

type Client = import('@redis/client').RedisClientType;
type Library = typeof import('@redis/client');

/** Longest pause between two attempts to connect again. */
const longest = 2_000;

export class RedisConnection {
  readonly #library: Library;
  readonly #options: RedisOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #hashes = new Map<string, string>();
  #client: Client;
  #closed = false;

  private constructor(library: Library, options: RedisOptions, clock: Clock, log: Log) {
    this.#library = library;
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#client = this.#make(false);
  }

  /** Rejects with the package's error when the server cannot be reached. */
  static async open(options: RedisOptions, clock: Clock, log: Log): Promise<RedisConnection> {
    const library = await optionalPackage('The store `redis`', '@redis/client@6', () => import('@redis/client'));
    const connection = new RedisConnection(library, options, clock, log);
    const { timeout } = options;
    const late = (): Failure => connection.#failure(`no answer within ${timeout} ms`);
    try {
      await within(clock, timeout, connection.#client.connect(), late);
    } catch (thrown) {
      connection.#destroy(connection.#client);
      throw thrown;
    }
    return connection;
  }

  /** Rejects with `store`. */
  async command(...args: readonly (string | Buffer)[]): Promise<unknown> {
    if (this.#closed) throw this.#failure('it is closed', { sent: false });
    const client = this.#client;
    const { timeout } = this.#options;
    try {
      return await within(this.#clock, timeout, client.sendCommand([...args]), () => {
        // Answers come in order: nothing that is sent behind this would be answered either.
        this.#replace(client);
        return this.#failure(`no answer within ${timeout} ms`);
      });
    } catch (thrown) {
      throw this.#explained(thrown, client);
    }
  }

  /** Runs a script; the server knows it by its hash, unless it was restarted. */
  async run(script: string, ...args: readonly (string | Buffer)[]): Promise<unknown> {
    const hash = this.#hashes.get(script) ?? createHash('sha1').update(script).digest('hex');
    this.#hashes.set(script, hash);
    const prefix = `{${this.#options.prefix}}`;
    try {
      return await this.command('EVALSHA', hash, '1', prefix, ...args);
    } catch (thrown) {
      if (!(thrown instanceof Error && /NOSCRIPT/.test(thrown.message))) throw thrown;
      return this.command('EVAL', script, '1', prefix, ...args);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#client.isReady) {
      this.#destroy(this.#client);
      return;
    }
    // Waits for the answers that are still to come.
    await within(this.#clock, this.#options.timeout, this.#client.close(), () => this.#failure('late')).catch(() =>
      this.#destroy(this.#client),
    );
  }

  #make(again: boolean): Client {
    const { url, username, password, timeout } = this.#options;
    let connected = again;
    let down = again;
    const client = this.#library.createClient({
      url,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      socket: {
        connectTimeout: timeout,
        // Not before it was connected once: a start does not wait for what may never come.
        reconnectStrategy: (retries) => (connected ? Math.min(longest, 50 * 2 ** retries) : false),
      },
      // What cannot be sent now fails now; whoever called decides what then.
      disableOfflineQueue: true,
      disableClientInfo: true,
      maintNotifications: 'disabled',
      commandOptions: { typeMapping: { [this.#library.RESP_TYPES.BLOB_STRING]: Buffer } },
    }) as unknown as Client;
    client.on('error', (error: Error) => {
      if (!connected || down) return;
      down = true;
      this.#log.warn('the connection of the store is down', { store: 'redis', detail: error.message });
    });
    client.on('ready', () => {
      if (down) this.#log.info('the connection of the store is up again', { store: 'redis' });
      connected = true;
      down = false;
    });
    return client;
  }

  #replace(old: Client): void {
    if (this.#closed || old !== this.#client) return;
    this.#log.warn('the connection of the store is made anew', { store: 'redis' });
    this.#client = this.#make(true);
    this.#destroy(old);
    // Until it is there commands fail.
    this.#client.connect().catch(() => {});
  }

  #destroy(client: Client): void {
    if (client.isOpen) client.destroy();
  }

  #explained(thrown: unknown, client: Client): Failure {
    if (thrown instanceof Failure) return thrown;
    const { ClientOfflineError, ClientClosedError, ErrorReply } = this.#library;
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    if (thrown instanceof ClientOfflineError || thrown instanceof ClientClosedError) {
      return this.#failure('there is no connection', { sent: false, cause: thrown });
    }
    if (!(thrown instanceof ErrorReply)) return this.#failure(detail, { cause: thrown });
    // It has become a replica: the name may by now lead to the server that took over.
    if (/^READONLY/.test(detail)) this.#replace(client);
    return this.#failure(detail, { sent: false, cause: thrown });
  }

  #failure(detail: string, { sent, cause }: { readonly sent?: false; readonly cause?: unknown } = {}): Failure {
    return failure('store', { store: 'redis', detail, ...(sent === false ? { sent } : {}) }, { cause });
  }
}
