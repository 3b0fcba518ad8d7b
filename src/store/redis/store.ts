/** The store on a Redis or Valkey server, shared by all replicas of an integration. */
import { type Failure, failure, toFailure } from '../../errors.ts';
import { compareBytes } from '../byte-order.ts';
import { checkAt, checkBatch, checkList } from '../check-arguments.ts';
import type { RedisOptions } from '../options.ts';
import { type Entry, type ListOptions, limits, type Page, type Store, type Write, type Written } from '../store.ts';
import { Sweeper, type Swept } from '../sweeper.ts';
import type { StoreWorld } from '../world.ts';
import { RedisConnection } from './connection.ts';
import { getScript, listScript, sweepScript, writeScript } from './scripts.ts';
import { checkServer } from './server.ts';

const portion = 500;
/** Writing clears away too; this is for what the last writer left. */
const sweepEvery = 10_000;

export async function openRedis(settings: RedisOptions, world: StoreWorld): Promise<Store> {
  const options = { ...settings, prefix: settings.prefix ?? `dowel:${world.integration}` };
  const what = `The store ${new URL(options.url).host}`;
  const connection = await RedisConnection.open(options, world.clock, world.log).catch((thrown: unknown) => {
    throw unopened(what, thrown);
  });
  try {
    await checkServer(connection, options);
    return new RedisStore(connection, options, world);
  } catch (thrown) {
    await connection.close();
    throw unopened(what, thrown);
  }
}

function unopened(what: string, thrown: unknown): Failure {
  const error = toFailure(thrown);
  if (error.code === 'startup') return error;
  return failure('startup', { what, detail: String(error.facts['detail'] ?? error.message) }, { cause: thrown });
}

class RedisStore implements Store {
  readonly kind = 'redis';
  readonly shared = true;
  readonly durable: boolean;
  readonly #connection: RedisConnection;
  readonly #sweeper: Sweeper;

  constructor(connection: RedisConnection, { durability }: RedisOptions, { clock, log }: StoreWorld) {
    this.#connection = connection;
    this.durable = durability === 'always';
    if (!this.durable) log.warn('the store is as durable as its server is set up to be', { store: this.kind });
    this.#sweeper = new Sweeper(clock, log, () => this.#sweep());
    this.#sweeper.expect(0);
  }

  async get(space: string, key: string): Promise<Entry | undefined> {
    checkAt(space, key);
    const found = await this.#connection.run(getScript, space, key);
    return Array.isArray(found) ? entryOf([key, ...found]) : undefined;
  }

  async list(space: string, options: ListOptions): Promise<Page> {
    checkList(space, options);
    const { prefix = '', after, limit } = options;
    const first = after !== undefined && compareBytes(after, prefix) >= 0 ? text(`(${after}`) : text(`[${prefix}`);
    // No UTF-8 has the byte 0xff: it stands behind every key with the prefix.
    const last = prefix === '' ? text('+') : Buffer.concat([text(`(${prefix}`), Buffer.of(0xff)]);
    const page = await this.#connection.run(listScript, space, first, last, `${limit}`, `${limits.pageBytes}`);
    const [next, found] = Array.isArray(page) ? page : [];
    const entries: readonly unknown[] = Array.isArray(found) ? found : [];
    return { entries: entries.map(entryOf), next: Buffer.isBuffer(next) ? next.toString() : undefined };
  }

  async write(batch: readonly Write[]): Promise<Written> {
    checkBatch(batch);
    const answer = await this.#connection.run(writeScript, ...batch.flatMap(argumentsOf));
    const [written, value] = Array.isArray(answer) ? answer : [];
    return written === 1
      ? { written: true, version: Number(String(value)) }
      : { written: false, conflict: Number(String(value)) };
  }

  async close(): Promise<void> {
    await this.#sweeper.stop();
    await this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #sweep(): Promise<Swept> {
    const removed = Number(await this.#connection.run(sweepScript, `${portion}`));
    return { more: removed === portion, next: sweepEvery };
  }
}

const text = (value: string): Buffer => Buffer.from(value);

function argumentsOf(write: Write): readonly (string | Buffer)[] {
  const { op, space, key, when = '' } = write;
  const ttl = op === 'delete' || write.ttl === undefined ? '' : `${Math.ceil(write.ttl)}`;
  const value = op === 'put' ? write.value : undefined;
  const bytes = value ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : '';
  return [op, space, key, `${when}`, ttl, bytes];
}

function entryOf(found: unknown): Entry {
  const [key, version, left, value]: readonly unknown[] = Array.isArray(found) ? found : [];
  if (!Buffer.isBuffer(value)) throw failure('store', { store: 'redis', detail: 'an entry has lost its value' });
  const ttl = Number(left);
  return { key: String(key), value, version: Number(String(version)), ttl: ttl < 0 ? undefined : ttl };
}
