/** The file: made, locked for this process, brought to the tables that we know. */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { type Clock, sleep } from '../../core/clock.ts';
import { Failure, failure } from '../../errors.ts';
import { describe, isBusy } from './failures.ts';

/** "DOWL", at a fixed place in the file: tells our files from those of other programs (`file` shows it, too). */
const applicationId = 0x444f574c;

/** Each brings the tables one version further; those that ran stand in `user_version`. Append only. */
const migrations: readonly string[] = [
  `CREATE TABLE entry (
     space TEXT NOT NULL,
     key TEXT NOT NULL,
     version INTEGER NOT NULL,
     expires INTEGER, -- milliseconds since the epoch
     value BLOB NOT NULL,
     PRIMARY KEY (space, key)
   ) STRICT;
   CREATE INDEX entry_expires ON entry (expires) WHERE expires IS NOT NULL;
   CREATE TABLE counter (version INTEGER NOT NULL) STRICT;
   INSERT INTO counter VALUES (0);`,
];

/** How long a process that is just ending may still hold the file. */
const patience = 3_000;
const pause = 50;

export interface Opened {
  readonly db: DatabaseSync;
  /** The version drawn last. */
  readonly version: number;
}

/** Opens the file for this process alone. Rejects with `startup`. */
export async function openDatabase(path: string, clock: Clock): Promise<Opened> {
  makeFile(path);
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const end = clock.monotonic() + patience;
  for (;;) {
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(path);
      return { db, version: prepare(db, path) };
    } catch (thrown) {
      if (db?.isOpen) db.close();
      if (thrown instanceof Failure) throw thrown;
      if (!isBusy(thrown)) throw unopened(path, describe(thrown), thrown);
      if (clock.monotonic() >= end) {
        throw unopened(
          path,
          'it is in use; one process at a time can have it. Stop the other, give this one a file of its own, or share a `redis` or `postgres` store',
          thrown,
        );
      }
    }
    await sleep(clock, pause);
  }
}

export const unopened = (path: string, detail: string, cause?: unknown): Failure =>
  failure('startup', { what: `The store ${path}`, detail }, { cause });

/** An empty file is a new database. It holds what messages held: nobody else may read it. */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, 'ax', 0o600));
    // The name of the file is part of its folder: without this a power cut can take both.
    const folder = openSync(dirname(path), 'r');
    fsyncSync(folder);
    closeSync(folder);
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown)) throw thrown;
    if (thrown.code === 'EEXIST') return;
    const where = `Set \`store.sqlite.path\` to a file in a folder that is there and can be written`;
    throw unopened(path, `${thrown.message}. ${where}`, thrown);
  }
}

/** Yields the version drawn last. */
function prepare(db: DatabaseSync, path: string): number {
  // First of all, so that the lock is never let go and SQLite keeps its index of the log in memory. The kernel frees the
  // lock when the process dies.
  db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  const done = migrationsIn(db, path);
  db.exec('COMMIT');
  const mode = db.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode'];
  if (mode !== 'wal') throw unopened(path, 'its file system cannot hold a write-ahead log');
  // FULL: the log is synced at every commit. On macOS only `fullfsync` reaches the disk.
  db.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1');
  // A log that once grew does not keep the disk for ever.
  db.exec(`PRAGMA journal_size_limit = ${16 * 1024 ** 2}`);
  for (const [index, sql] of migrations.entries()) {
    if (index < done) continue;
    db.exec(`BEGIN; ${sql} PRAGMA user_version = ${index + 1}; PRAGMA application_id = ${applicationId}; COMMIT`);
  }
  return Number(db.prepare('SELECT version FROM counter').get()?.['version']);
}

/** How many migrations have run; throws for a file that we must not touch. */
function migrationsIn(db: DatabaseSync, path: string): number {
  const id = db.prepare('PRAGMA application_id').get()?.['application_id'];
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  const tables = Number(db.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count']);
  if (id !== applicationId && (tables > 0 || version > 0)) {
    throw unopened(path, 'it is a database of another program. Set `store.sqlite.path` to a file of its own');
  }
  if (version > migrations.length) {
    throw unopened(path, `a newer Dowel wrote it (version ${version}; this one knows ${migrations.length})`);
  }
  return version;
}
