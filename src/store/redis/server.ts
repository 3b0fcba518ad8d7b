import { failure } from '../../errors.ts';
import type { RedisOptions } from '../options.ts';
import type { RedisConnection } from './connection.ts';

/**
 * What the server is set to do with what it acknowledges; throws `startup` for a server that cannot keep the promise of
 * `durability`.
 *
 * With `appendfsync always` Redis writes and syncs its log before it sends the answers of an event loop's turn, so an
 * answer is a promise. Three other settings undo that: `no-appendfsync-on-rewrite` suspends the sync, an `allkeys-*`
 * policy evicts entries when memory is full, and a replica does not take writes.
 */
export async function checkServer(connection: RedisConnection, { url, durability }: RedisOptions): Promise<void> {
  const what = `The store ${new URL(url).host}`;
  const refuse = (detail: string): Error => failure('startup', { what, detail });
  const info = fields(String(await connection.command('INFO')));
  const [major = 0, minor = 0] = (info.get('redis_version') ?? '').split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 2)) throw refuse(`Redis ${major}.${minor} is too old; 6.2 is the least`);
  if (info.get('role') === 'slave') throw refuse('it is a replica; name the primary in `store.redis.url`');
  if (durability === 'server') return;

  const must = (setting: string, found: string | undefined): Error =>
    refuse(
      `the server may lose what it has acknowledged: \`${setting}\` is needed, found \`${found ?? 'nothing'}\`. Set it, or accept the loss with \`store.redis.durability: server\``,
    );
  if (info.get('aof_enabled') !== '1') throw must('appendonly yes', 'no');
  const policy = info.get('maxmemory_policy');
  if (info.get('maxmemory') !== '0' && policy?.startsWith('allkeys-'))
    throw must('maxmemory-policy noeviction', policy);
  const settings = await configOf(connection).catch((thrown: Error) => {
    throw refuse(
      `the server does not say how durable it is (CONFIG GET: ${thrown.message}). Let the user call \`CONFIG GET\`, or set \`store.redis.durability: server\` and see to it yourself`,
    );
  });
  const sync = settings.get('appendfsync');
  if (sync !== 'always') throw must('appendfsync always', sync);
  const suspended = settings.get('no-appendfsync-on-rewrite');
  if (suspended !== 'no') throw must('no-appendfsync-on-rewrite no', suspended);
}

/** `name:value` lines of INFO. */
const fields = (text: string): ReadonlyMap<string, string> =>
  new Map([...text.matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, name = '', value = '']) => [name, value]));

async function configOf(connection: RedisConnection): Promise<ReadonlyMap<string, string>> {
  const settings = new Map<string, string>();
  for (const name of ['appendfsync', 'no-appendfsync-on-rewrite']) {
    const answer = await connection.command('CONFIG', 'GET', name);
    // A list of name and value, or a map in RESP 3.
    const values: readonly unknown[] = Array.isArray(answer) ? answer : Object.entries(answer ?? {}).flat();
    settings.set(name, String(values[1]));
  }
  return settings;
}
