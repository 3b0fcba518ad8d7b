import { join } from 'node:path';
import { MemoryStore } from './memory.ts';
import type { StoreOptions } from './options.ts';
import type { Store } from './store.ts';
import type { StoreWorld } from './world.ts';

/**
 * Opens the store that `store:` names; without it, an SQLite file beside the integration. Only its code is loaded.
 * Rejects with `startup` when it cannot be opened or cannot promise what it is asked to.
 */
export async function openStore(options: StoreOptions | undefined, world: StoreWorld): Promise<Store> {
  if (options?.memory) return new MemoryStore(world.clock, world.log);
  if (options?.redis) {
    const { openRedis } = await import('./redis/store.ts');
    return openRedis(options.redis, world);
  }
  if (options?.postgres) {
    const { openPostgres } = await import('./postgres/store.ts');
    return openPostgres(options.postgres, world);
  }
  const { openSqlite } = await import('./sqlite/store.ts');
  return openSqlite(sqlitePath(options, world) ?? '', world);
}

/** Where the SQLite file is; `undefined` for another store. */
export function sqlitePath(
  options: StoreOptions | undefined,
  { folder, integration }: Pick<StoreWorld, 'folder' | 'integration'>,
): string | undefined {
  if (options && !options.sqlite) return undefined;
  return options?.sqlite?.path ?? join(folder, `${integration}.dowel.db`);
}
