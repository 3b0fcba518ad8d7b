/** The store in a PostgreSQL database, shared by all replicas of an integration. */
import { type Failure, failure, toFailure } from '../../errors.ts';
import { checkAt, checkBatch, checkList } from '../check-arguments.ts';
import type { PostgresOptions } from '../options.ts';
import { type Entry, type ListOptions, limits, type Page, type Store, type Write, type Written } from '../store.ts';
import { Sweeper, type Swept } from '../sweeper.ts';
import type { StoreWorld } from '../world.ts';
import { PostgresConnections, type Row } from './connections.ts';
import { prepare } from './prepare.ts';
import { type Statements, statementsOf, stripeOf } from './schema.ts';

const portion = 500;
const sweepEvery = 10_000;
/** PostgreSQL silently cuts a longer name. */
const longestName = 63;

export async function openPostgres(options: PostgresOptions, world: StoreWorld): Promise<Store> {
  const what = `The store ${new URL(options.url).host}`;
  const schema = options.schema ?? `dowel_${world.integration}`;
  if (schema.length > longestName) {
    throw failure('startup', {
      what,
      detail: `the schema ${schema} has too long a name: set \`store.postgres.schema\``,
    });
  }
  const name = `dowel ${world.integration}`.slice(0, longestName);
  const connections = await PostgresConnections.open(options, name, world.clock, world.log);
  try {
    const synced = await prepare(connections, schema, what);
    return new PostgresStore(connections, statementsOf(schema), synced, world);
  } catch (thrown) {
    await connections.close();
    throw unopened(what, thrown);
  }
}

function unopened(what: string, thrown: unknown): Failure {
  const error = toFailure(thrown);
  if (error.code === 'startup') return error;
  return failure('startup', { what, detail: String(error.facts['detail'] ?? error.message) }, { cause: thrown });
}

class PostgresStore implements Store {
  readonly kind = 'postgres';
  readonly shared = true;
  readonly durable: boolean;
  readonly #connections: PostgresConnections;
  readonly #sql: Statements;
  readonly #sweeper: Sweeper;

  constructor(connections: PostgresConnections, sql: Statements, synced: boolean, { clock, log }: StoreWorld) {
    this.#connections = connections;
    this.#sql = sql;
    this.durable = synced;
    if (!synced) log.warn('the server has `fsync` off: what the store acknowledges may be lost', { store: this.kind });
    this.#sweeper = new Sweeper(clock, log, () => this.#sweep());
    this.#sweeper.expect(0);
  }

  async get(space: string, key: string): Promise<Entry | undefined> {
    checkAt(space, key);
    const [row] = await this.#connections.query(this.#sql.get, [bytes(space), bytes(key)]);
    return row && entryOf(row);
  }

  async list(space: string, options: ListOptions): Promise<Page> {
    checkList(space, options);
    const { prefix = '', after, limit } = options;
    // No UTF-8 has the byte 0xff: it stands behind every key with the prefix.
    const end = prefix === '' ? null : Buffer.concat([bytes(prefix), Buffer.of(0xff)]);
    const start = after === undefined ? null : bytes(after);
    const asked = [bytes(space), bytes(prefix), start, end, limit + 1, limits.pageBytes];
    const rows = await this.#connections.query(this.#sql.list, asked);
    const fit = rows.slice(0, limit).findIndex((row) => row['value'] === null);
    const entries = rows.slice(0, fit < 0 ? limit : fit).map(entryOf);
    return { entries, next: entries.length < rows.length ? entries.at(-1)?.key : undefined };
  }

  async write(batch: readonly Write[]): Promise<Written> {
    checkBatch(batch);
    const locks = new Set(batch.map(({ space, key }) => stripeOf(space, key)));
    const [row = {}] = await this.#connections.query(this.#sql.write, [
      [...locks].sort((a, b) => a - b),
      batch.map(({ op }) => op),
      batch.map(({ space }) => bytes(space)),
      batch.map(({ key }) => bytes(key)),
      batch.map(({ when }) => (when === undefined ? null : when === 'absent' ? 0 : when)),
      batch.map((write) => (write.op === 'delete' || write.ttl === undefined ? null : Math.ceil(write.ttl))),
      batch.map((write) => (write.op === 'put' ? view(write.value) : null)),
    ]);
    const { conflict } = row;
    if (conflict !== null) return { written: false, conflict: Number(conflict) };
    return { written: true, version: Number(row['drawn']) };
  }

  async close(): Promise<void> {
    await this.#sweeper.stop();
    await this.#connections.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #sweep(): Promise<Swept> {
    const rows = await this.#connections.query(this.#sql.sweep, [portion]);
    return { more: rows.length === portion, next: sweepEvery };
  }
}

const bytes = (text: string): Buffer => Buffer.from(text);
const view = (value: Uint8Array): Buffer => Buffer.from(value.buffer, value.byteOffset, value.byteLength);

function entryOf({ key, value, version, ttl }: Row): Entry {
  if (!Buffer.isBuffer(key) || !Buffer.isBuffer(value)) {
    throw failure('store', { store: 'postgres', detail: 'the table `entry` has other columns' });
  }
  return { key: key.toString(), value, version: Number(version), ttl: ttl === null ? undefined : Number(ttl) };
}
