import { randomUUID } from 'node:crypto';
/**
 * The embedded store: one SQLite file, used by this process alone. SQLite is synchronous, so statements are kept tiny,
 * and all batches that are written within one turn of the event loop share one transaction and its one fsync (group
 * commit); while that fsync lasts the next group gathers.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../core/clock.ts';
import { type Failure, failure } from '../../errors.ts';
import { compareBytes } from '../byte-order.ts';
import { checkAt, checkBatch, checkList } from '../check-arguments.ts';
import { pageOf } from '../page.ts';
import type { Entry, ListOptions, Page, Store, Write, Written } from '../store.ts';
import { Sweeper, type Swept } from '../sweeper.ts';
import type { StoreWorld } from '../world.ts';
import { type Opened, openDatabase, unopened } from './database.ts';
import { describe, isFatal, sqliteFailure } from './failures.ts';
import { entryOf, type Statements, statements } from './statements.ts';

/** Bounds of one transaction: the event loop stands still while it is written. */
const group = { batches: 256, bytes: 4 * 1024 ** 2 } as const;
const portion = { entries: 200, bytes: 4 * 1024 ** 2 } as const;

interface Waiting {
  readonly batch: readonly Write[];
  readonly resolve: (written: Written) => void;
  readonly reject: (error: Failure) => void;
}

export async function openSqlite(path: string, world: StoreWorld): Promise<Store> {
  const opened = await openDatabase(path, world.clock);
  try {
    return new SqliteStore(opened, path, world);
  } catch (thrown) {
    opened.db.close();
    throw unopened(path, describe(thrown), thrown);
  }
}

class SqliteStore implements Store {
  readonly kind = 'sqlite';
  readonly shared = false;
  readonly session = randomUUID();
  readonly durable = true;
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #onFatal: (error: Failure) => void;
  readonly #sweeper: Sweeper;
  readonly #waiting: Waiting[] = [];
  #scheduled = false;
  #version: number;
  /** Why nothing works any more. */
  #ended: Failure | undefined;
  #closing: Promise<void> | undefined;

  constructor({ db, version }: Opened, path: string, { clock, log, onFatal }: StoreWorld) {
    this.#db = db;
    this.#sql = statements(db);
    this.#path = path;
    this.#clock = clock;
    this.#onFatal = onFatal;
    this.#version = version;
    this.#sweeper = new Sweeper(clock, log, async () => this.#guarded(() => this.#sweep()));
    this.#sweeper.expect(0);
  }

  async get(space: string, key: string): Promise<Entry | undefined> {
    checkAt(space, key);
    return this.#guarded(() => {
      const now = this.#clock.now();
      const row = this.#sql.get.get({ space, key, now });
      return row && entryOf(row, now);
    });
  }

  async list(space: string, options: ListOptions): Promise<Page> {
    checkList(space, options);
    return this.#guarded(() => pageOf(this.#entries(space, options), options.limit));
  }

  write(batch: readonly Write[]): Promise<Written> {
    return new Promise((resolve, reject) => {
      this.#check();
      checkBatch(batch);
      this.#waiting.push({ batch, resolve, reject });
      this.#schedule();
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    while (this.#waiting.length > 0) this.#flush();
    const broken = this.#ended;
    this.#ended ??= failure('store', { store: this.kind, detail: 'it is closed', sent: false });
    await this.#sweeper.stop();
    try {
      // Brings the log into the file and removes it.
      this.#db.close();
    } catch (thrown) {
      if (!broken) throw sqliteFailure(this.#path, thrown);
    }
  }

  #check(): void {
    if (this.#ended) throw this.#ended;
  }

  /** Runs `work` on the file; what SQLite throws becomes a Failure, and the end of the store if it must. */
  #guarded<T>(work: () => T): T {
    this.#check();
    try {
      return work();
    } catch (thrown) {
      throw this.#failed(thrown);
    }
  }

  #failed(thrown: unknown): Failure {
    const error = sqliteFailure(this.#path, thrown);
    if (!isFatal(thrown) || this.#ended) return error;
    this.#ended = error;
    // Before anybody hears of the error, and where nobody can catch what it throws.
    queueMicrotask(() => this.#onFatal(error));
    return error;
  }

  *#entries(space: string, { prefix = '', after }: ListOptions): Generator<Entry> {
    const now = this.#clock.now();
    const rows =
      after !== undefined && compareBytes(after, prefix) >= 0
        ? this.#sql.listAfter.iterate({ space, start: after, now })
        : this.#sql.listFrom.iterate({ space, start: prefix, now });
    for (const row of rows) {
      const entry = entryOf(row, now);
      if (!entry.key.startsWith(prefix)) return;
      yield entry;
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Behind everything that this turn of the event loop still brings.
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#waiting.length === 0) return;
      this.#flush();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  /** Writes the next group in one transaction. */
  #flush(): void {
    const waiting = this.#take();
    let results: readonly Written[];
    try {
      results = this.#guarded(() => this.#transaction(() => waiting.map(({ batch }) => this.#apply(batch))));
    } catch (error) {
      for (const one of waiting) one.reject(error as Failure);
      return;
    }
    for (const [index, one] of waiting.entries()) {
      const written = results[index];
      if (written) one.resolve(written);
    }
  }

  #take(): readonly Waiting[] {
    let [count, bytes] = [0, 0];
    for (const { batch } of this.#waiting) {
      for (const write of batch) if (write.op === 'put') bytes += write.value.byteLength;
      if (count === group.batches || (count > 0 && bytes > group.bytes)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  #transaction<T>(work: () => T): T {
    const before = this.#version;
    this.#sql.begin.run();
    try {
      const result = work();
      if (this.#version > before) this.#sql.count.run({ version: this.#version });
      this.#sql.commit.run();
      return result;
    } catch (thrown) {
      // A number that was drawn is not drawn again: it may be in the file after all.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw thrown;
    }
  }

  /** Conditions first, then the changes: a batch that is not written has changed nothing that would have to go back. */
  #apply(batch: readonly Write[]): Written {
    const now = this.#clock.now();
    const conflict = batch.findIndex((write) => !this.#holds(write, now));
    if (conflict >= 0) return { written: false, conflict };
    this.#version++;
    for (const write of batch) this.#change(write, now);
    return { written: true, version: this.#version };
  }

  #holds({ space, key, when }: Write, now: number): boolean {
    if (when === undefined) return true;
    const version = this.#sql.version.get({ space, key, now })?.['version'];
    return when === 'absent' ? version === undefined : version === when;
  }

  #change(write: Write, now: number): void {
    const { op, space, key } = write;
    if (op === 'delete') {
      this.#sql.delete.run({ space, key });
      return;
    }
    const expires = write.ttl === undefined ? null : Math.ceil(now + write.ttl);
    if (op === 'put') {
      this.#sql.put.run({ space, key, version: this.#version, expires, value: write.value });
    } else if (expires !== null) {
      this.#sql.renew.run({ space, key, expires });
    }
    if (write.ttl !== undefined) this.#sweeper.expect(write.ttl);
  }

  #sweep(): Swept {
    const now = this.#clock.now();
    const rows = this.#sql.expired.all({ now, limit: portion.entries });
    let bytes = 0;
    let removed = 0;
    if (rows.length > 0) {
      this.#transaction(() => {
        for (const { id = null, bytes: size } of rows) {
          bytes += Number(size);
          if (removed > 0 && bytes > portion.bytes) break;
          this.#sql.deleteRow.run({ id });
          removed++;
        }
      });
    }
    if (removed < rows.length || rows.length === portion.entries) return { more: true, next: undefined };
    const next = this.#sql.nextToExpire.get()?.['expires'];
    return { more: false, next: next === null ? undefined : Number(next) - now };
  }
}
