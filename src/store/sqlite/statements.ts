/** Everything that is asked of the file, prepared once. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Entry } from '../store.ts';

type Row = Readonly<Record<string, SQLOutputValue>>;

export function statements(db: DatabaseSync) {
  const live = '(expires IS NULL OR expires > :now)';
  const listed = 'SELECT key, value, version, expires FROM entry WHERE space = :space AND';
  return {
    begin: db.prepare('BEGIN'),
    commit: db.prepare('COMMIT'),
    version: db.prepare(`SELECT version FROM entry WHERE space = :space AND key = :key AND ${live}`),
    get: db.prepare(`${listed} key = :key AND ${live}`),
    listFrom: db.prepare(`${listed} key >= :start AND ${live} ORDER BY key`),
    listAfter: db.prepare(`${listed} key > :start AND ${live} ORDER BY key`),
    put: db.prepare(
      `INSERT INTO entry (space, key, version, expires, value) VALUES (:space, :key, :version, :expires, :value)
       ON CONFLICT (space, key) DO UPDATE SET version = :version, expires = :expires, value = :value`,
    ),
    renew: db.prepare('UPDATE entry SET expires = :expires WHERE space = :space AND key = :key'),
    delete: db.prepare('DELETE FROM entry WHERE space = :space AND key = :key'),
    count: db.prepare('UPDATE counter SET version = :version'),
    // The length of a blob stands in its row's header: the blob itself is not read.
    expired: db.prepare(
      'SELECT rowid AS id, length(value) AS bytes FROM entry WHERE expires <= :now ORDER BY expires LIMIT :limit',
    ),
    deleteRow: db.prepare('DELETE FROM entry WHERE rowid = :id'),
    nextToExpire: db.prepare('SELECT min(expires) AS expires FROM entry WHERE expires IS NOT NULL'),
  };
}

export type Statements = ReturnType<typeof statements>;

export function entryOf(row: Row, now: number): Entry {
  const { key, value, version, expires } = row;
  if (typeof key !== 'string' || !(value instanceof Uint8Array)) throw new Error('the table `entry` has other columns');
  return { key, value, version: Number(version), ttl: expires === null ? undefined : Number(expires) - now };
}
