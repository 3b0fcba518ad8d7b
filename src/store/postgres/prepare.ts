import { failure } from '../../errors.ts';
import type { PostgresConnections } from './connections.ts';
import { migrations, questions } from './schema.ts';

/** One lock for all who bring a schema up to date: any number, the same for every Dowel. */
const migrationLock = 0x444f574c;

/**
 * Looks at the server, and makes what is missing of the tables; replicas that start at once take turns. Where everything
 * is there no right to make anything is needed. Throws `startup`, or what the server says. Yields whether the server
 * syncs what it commits.
 */
export async function prepare(connections: PostgresConnections, schema: string, what: string): Promise<boolean> {
  const refuse = (detail: string): Error => failure('startup', { what, detail });
  const [server = {}] = await connections.query(questions.server);
  if (Number(server['version']) < 120_000) throw refuse('PostgreSQL 12 is the least');
  if (server['standby'] === true) throw refuse('it is a standby, which only reads; name the primary');
  if (server['isolation'] !== 'read committed') {
    throw refuse(
      `\`default_transaction_isolation\` is \`${server['isolation']}\`; the store needs \`read committed\`: ALTER ROLE … SET default_transaction_isolation = 'read committed'`,
    );
  }
  await connections.use(async (ask) => {
    await ask('BEGIN');
    await ask('SELECT pg_advisory_xact_lock($1)', [migrationLock]);
    if ((await ask(questions.schema, [schema])).length === 0) await ask(questions.createSchema(schema));
    if ((await ask(questions.table, [schema])).length === 0) await ask(questions.createTable(schema));
    const [found] = await ask(questions.version(schema));
    const version = Number(found?.['version'] ?? 0);
    if (version > migrations.length) {
      throw refuse(`a newer Dowel made its tables (version ${version}; this one knows ${migrations.length})`);
    }
    for (const [index, migration] of migrations.entries()) {
      if (index < version) continue;
      await ask(migration(schema));
      await ask(questions.record(schema), [index + 1]);
    }
    await ask('COMMIT');
  });
  return server['fsync'] === 'on';
}
