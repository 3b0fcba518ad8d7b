/** The tables, and the function that writes a batch. */

/** A name as it stands in SQL. */
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Appended to only: each brings the schema one version further; those that ran stand in `migration`. */
export const migrations: readonly ((schema: string) => string)[] = [
  (schema) => `
    CREATE TABLE ${quoted(schema)}.entry (
      space bytea NOT NULL, -- UTF-8: bytes have one order everywhere, text has that of the database
      key bytea NOT NULL,
      version bigint NOT NULL,
      expires timestamptz,
      value bytea NOT NULL,
      PRIMARY KEY (space, key)
    );
    CREATE INDEX entry_expires ON ${quoted(schema)}.entry (expires) WHERE expires IS NOT NULL;
    CREATE SEQUENCE ${quoted(schema)}.version;
    ${writeFunction(quoted(schema))}`,
];

/**
 * Writes a batch, all or nothing, in one round trip. Batches that have a key in common take turns: each takes the locks
 * of its keys (`stripes`, sorted, so that no two wait for each other) and holds them until it is committed. Versions are
 * drawn under these locks, so those of a key never go back.
 *
 * `wants`: null = any, 0 = absent, else the version. Yields either the index of the conflict or the version.
 */
const writeFunction = (schema: string): string => `
  CREATE FUNCTION ${schema}.write_1(
    stripes int[], ops text[], spaces bytea[], keys bytea[], wants bigint[], ttls bigint[], contents bytea[],
    OUT conflict int, OUT drawn bigint
  ) LANGUAGE plpgsql AS $body$
  DECLARE
    lock_space bigint := '${schema}.entry'::regclass::oid::bigint << 16;
    stripe int;
    started timestamptz;
    found_version bigint;
    until timestamptz;
  BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
      RAISE EXCEPTION 'transactions must be read committed here, not %', current_setting('transaction_isolation');
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
      PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    FOREACH stripe IN ARRAY stripes LOOP
      PERFORM pg_advisory_xact_lock(lock_space | stripe);
    END LOOP;
    started := clock_timestamp();
    FOR i IN 1 .. cardinality(keys) LOOP
      CONTINUE WHEN wants[i] IS NULL;
      SELECT e.version INTO found_version FROM ${schema}.entry e
        WHERE e.space = spaces[i] AND e.key = keys[i] AND (e.expires IS NULL OR e.expires > started);
      IF coalesce(found_version, 0) <> wants[i] THEN
        conflict := i - 1;
        RETURN;
      END IF;
    END LOOP;
    drawn := nextval('${schema}.version');
    FOR i IN 1 .. cardinality(keys) LOOP
      until := started + ttls[i] * interval '1 millisecond';
      IF ops[i] = 'put' THEN
        INSERT INTO ${schema}.entry AS e (space, key, version, expires, value)
          VALUES (spaces[i], keys[i], drawn, until, contents[i])
          ON CONFLICT ON CONSTRAINT entry_pkey
          DO UPDATE SET version = excluded.version, expires = excluded.expires, value = excluded.value;
      ELSIF ops[i] = 'delete' THEN
        DELETE FROM ${schema}.entry e WHERE e.space = spaces[i] AND e.key = keys[i];
      ELSIF until IS NOT NULL THEN
        UPDATE ${schema}.entry e SET expires = until WHERE e.space = spaces[i] AND e.key = keys[i];
      END IF;
    END LOOP;
  END
  $body$;`;

/** How many locks there are; keys that share one only wait for each other a little more often. */
const stripes = 1024;

/**
 * The lock of a key (FNV-1a). Never to be changed without a new `write` function: replicas of two versions of Dowel would
 * take different locks for the same key.
 */
export function stripeOf(space: string, key: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${space}\0${key}`)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0) % stripes;
}

export interface Statements {
  readonly get: string;
  readonly list: string;
  readonly write: string;
  readonly sweep: string;
}

/** The time of a statement, not of a row: so indexes on times can be used. */
const now = 'statement_timestamp()';

export function statementsOf(name: string): Statements {
  const schema = quoted(name);
  const left = `ceil(extract(epoch FROM expires - ${now}) * 1000)`;
  return {
    get: `SELECT key, value, version, ${left}::bigint AS ttl FROM ${schema}.entry
      WHERE space = $1 AND key = $2 AND (expires IS NULL OR expires > ${now})`,
    // Lengths do not need the values read: a page that is too long costs only what is sent of it.
    list: `SELECT key, version, ttl, CASE WHEN place = 1 OR bytes <= $6::bigint THEN value END AS value FROM (
        SELECT key, value, version, ttl, row_number() OVER w AS place, sum(octet_length(value)) OVER w AS bytes FROM (
          SELECT key, value, version, ${left}::bigint AS ttl FROM ${schema}.entry
          WHERE space = $1 AND key >= $2 AND ($3::bytea IS NULL OR key > $3) AND ($4::bytea IS NULL OR key < $4)
            AND (expires IS NULL OR expires > ${now})
          ORDER BY key LIMIT $5::int
        ) page WINDOW w AS (ORDER BY key)
      ) measured ORDER BY key`,
    write: `SELECT conflict, drawn FROM ${schema}.write_1($1, $2, $3, $4, $5, $6, $7)`,
    // What somebody else is just removing, or writing anew, is left to them.
    sweep: `DELETE FROM ${schema}.entry WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM ${schema}.entry WHERE expires <= ${now} ORDER BY expires LIMIT $1::int FOR UPDATE SKIP LOCKED))
      RETURNING 1 AS removed`,
  };
}

/** What is asked before the store may be used. */
export const questions = {
  server: `SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS standby,
    current_setting('fsync') AS fsync, current_setting('default_transaction_isolation') AS isolation`,
  schema: 'SELECT 1 FROM pg_namespace WHERE nspname = $1',
  table: `SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = 'migration'`,
  version: (schema: string): string => `SELECT max(version)::int AS version FROM ${quoted(schema)}.migration`,
  createSchema: (schema: string): string => `CREATE SCHEMA ${quoted(schema)}`,
  createTable: (schema: string): string =>
    `CREATE TABLE ${quoted(schema)}.migration (version int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())`,
  record: (schema: string): string => `INSERT INTO ${quoted(schema)}.migration (version) VALUES ($1)`,
};
