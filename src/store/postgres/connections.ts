/** Connections to the server, a few at once: each statement is a transaction of its own. */
import type { Pool, PoolClient } from 'pg';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/exchange.ts';
import { optionalPackage } from '../../core/optional-package.ts';
import { Failure, failure } from '../../errors.ts';
import type { PostgresOptions } from '../options.ts';
import { within } from '../within.ts';

export type Row = Readonly<Record<string, unknown>>;

/** A value of a statement: what `pg` can send. */
export type Value = string | number | Buffer | null | readonly (string | number | Buffer | null)[];

type Work<T> = (ask: (text: string, values?: readonly Value[]) => Promise<readonly Row[]>) => Promise<T>;

export class PostgresConnections {
  readonly #pool: Pool;
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  private constructor(pool: Pool, clock: Clock, log: Log, timeout: number) {
    this.#pool = pool;
    this.#clock = clock;
    this.#timeout = timeout;
    pool.on('error', (error) => {
      log.warn('a connection of the store is down', { store: 'postgres', detail: error.message });
    });
    // One that breaks while it is lent out says so twice: to the statement, and as an event nobody else listens to.
    pool.on('connect', (client) => client.on('error', () => {}));
  }

  /** Connects only when it is asked something. */
  static async open(options: PostgresOptions, name: string, clock: Clock, log: Log): Promise<PostgresConnections> {
    const { default: pg } = await optionalPackage('The store `postgres`', 'pg@8', () => import('pg'));
    const url = new URL(options.url);
    if (options.password !== undefined) url.password = encodeURIComponent(options.password);
    const pool = new pg.Pool({
      connectionString: url.href,
      application_name: name,
      max: options.connections,
      connectionTimeoutMillis: options.timeout,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
    });
    return new PostgresConnections(pool, clock, log, options.timeout);
  }

  /** One statement. Rejects with `store`. */
  query(text: string, values: readonly Value[] = []): Promise<readonly Row[]> {
    return this.use((ask) => ask(text, values));
  }

  /** Statements on one connection. When `work` fails, or a statement takes too long, it is closed. */
  use<T>(work: Work<T>): Promise<T> {
    if (this.#closing) return Promise.reject(failureOf('it is closed', false));
    const using = this.#use(work);
    this.#underWay.add(using);
    const done = (): void => void this.#underWay.delete(using);
    using.then(done, done);
    return using;
  }

  /** Waits for what is under way, which no longer takes than the timeout. */
  close(): Promise<void> {
    // The pool forgets whoever is still waiting for a connection when it ends.
    this.#closing ??= Promise.allSettled(this.#underWay).then(() => this.#end());
    return this.#closing;
  }

  async #end(): Promise<void> {
    await within(this.#clock, this.#timeout, this.#pool.end(), () => failureOf('it did not close')).catch(() => {});
  }

  async #use<T>(work: Work<T>): Promise<T> {
    const client = await this.#connect();
    try {
      const result = await work((text, values = []) => this.#ask(client, text, values));
      client.release();
      return result;
    } catch (thrown) {
      // Whatever state it is in: nobody else gets to see it.
      client.release(true);
      throw thrown;
    }
  }

  #connect(): Promise<PoolClient> {
    return this.#pool.connect().catch((thrown: unknown) => {
      throw failureOf(detailOf(thrown), false, thrown);
    });
  }

  #ask(client: PoolClient, text: string, values: readonly Value[]): Promise<readonly Row[]> {
    const late = (): Failure => failureOf(`no answer within ${this.#timeout} ms`);
    return within(this.#clock, this.#timeout, client.query<Row>(text, [...values]), late).then(
      ({ rows }) => rows,
      (thrown: unknown) => {
        if (thrown instanceof Failure) throw thrown;
        // An error of the statement: the server has taken everything back. FATAL ends the connection, and says nothing.
        const refused = thrown instanceof Error && 'severity' in thrown && thrown.severity === 'ERROR';
        throw failureOf(detailOf(thrown), refused ? false : undefined, thrown);
      },
    );
  }
}

function failureOf(detail: string, sent?: false, cause?: unknown): Failure {
  return failure('store', { store: 'postgres', detail, ...(sent === false ? { sent } : {}) }, { cause });
}

/** Neither statements nor values: an error of PostgreSQL has its message and its SQLSTATE. */
function detailOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  // Several addresses were tried.
  const text = thrown instanceof AggregateError ? thrown.errors.map(detailOf).join('; ') : thrown.message;
  return 'code' in thrown && /^[0-9A-Z]{5}$/.test(String(thrown.code)) ? `${text} (${thrown.code})` : text;
}
