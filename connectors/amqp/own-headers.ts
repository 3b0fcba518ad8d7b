/** Headers that a message gets while it waits in a retry queue: what the broker would not tell of it afterwards. */
export const own = {
  attempt: 'x-dowel-attempt',
  exchange: 'x-dowel-exchange',
  routingKey: 'x-dowel-routing-key',
  messageId: 'x-dowel-message-id',
  expiration: 'x-dowel-expiration',
  cc: 'x-dowel-cc',
} as const;

const ownNames: ReadonlySet<string> = new Set(Object.values(own));

export const retryPrefix = 'dowel.retry.';

type Table = Readonly<Record<string, unknown>>;

const isOurs = (queue: unknown): boolean => typeof queue === 'string' && queue.startsWith(retryPrefix);

/** The headers that the sender wrote, and those of dead letter exchanges that are not ours. */
export function foreignHeaders(table: Table): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  const ours = isOurs(table['x-first-death-queue']);
  for (const [name, value] of Object.entries(table)) {
    if (ownNames.has(name) || (ours && name.startsWith('x-first-death-'))) continue;
    if (name.startsWith('x-last-death-') && isOurs(table['x-last-death-queue'])) continue;
    if (name !== 'x-death' || !Array.isArray(value)) {
      kept[name] = value;
      continue;
    }
    const deaths = value.filter((death: { readonly queue?: unknown } | null) => !isOurs(death?.queue));
    if (deaths.length > 0) kept[name] = deaths;
  }
  if (table[own.cc] !== undefined) kept['CC'] = table[own.cc];
  return kept;
}
