import type { ConsumeMessage } from 'amqplib';
import { addressesOf } from './address.ts';
import type { AmqpSourceOptions } from './definition.ts';

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

/** By what a queue's reader knows the messages that it let wait itself. */
export interface Handwriting {
  readonly queue: string;
  /** Who we are to the broker, which lets nobody publish under the name of another user. `undefined`: only the broker knows. */
  readonly user: string | undefined;
  /** The broker counts how often it has handed over a message of this queue. */
  readonly counts: boolean;
}

export function handwritingOf(options: AmqpSourceOptions): Handwriting {
  const users = new Set(addressesOf(options).map(({ username }) => username));
  const [user] = users;
  const known = options.auth !== 'certificate' && users.size === 1;
  return {
    queue: options.queue,
    user: known ? user : undefined,
    counts: (options.declare?.type ?? 'quorum') === 'quorum',
  };
}

const noMarks: Table = Object.freeze({});

/**
 * The headers of a message that we have let wait; of any other none: what a sender wrote into the same headers, or passed on
 * from somewhere, is not believed. Ours came by a retry queue of this queue, and from our user.
 */
export function marksOf({ fields, properties }: ConsumeMessage, { queue, user }: Handwriting): Table {
  if (fields.exchange !== '' || fields.routingKey !== queue) return noMarks;
  if (user !== undefined && properties.userId !== user) return noMarks;
  const table: Table = properties.headers ?? noMarks;
  const deaths: readonly unknown[] = Array.isArray(table['x-death']) ? table['x-death'] : [];
  const last = deaths[0] as { readonly queue?: unknown; readonly reason?: unknown } | undefined;
  const waited = typeof last?.queue === 'string' && last.queue.startsWith(`${retryPrefix}${queue}.`);
  return waited && last.reason === 'expired' ? table : noMarks;
}

const isOurs = (queue: unknown): boolean => typeof queue === 'string' && queue.startsWith(retryPrefix);

/** The headers that the sender wrote, and those of dead letter exchanges that are not ours. */
export function foreignHeaders(table: Table, marks: Table = noMarks): Record<string, unknown> {
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
  if (marks[own.cc] !== undefined) kept['CC'] = marks[own.cc];
  return kept;
}
