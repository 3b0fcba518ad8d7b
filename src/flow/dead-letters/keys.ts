/** Where what belongs to a dead letter stands in the store. */

export const spaces = {
  /** What is known about each letter, the newest first. */
  letters: 'dead-letters',
  /** The same order the other way round: the oldest first. Values are empty. */
  byAge: 'dead-letters-by-age',
  /** By id: when it failed. The version of this entry is that of the letter. */
  byId: 'dead-letters-by-id',
  /** The bytes of the messages, in parts. */
  bodies: 'dead-letter-bodies',
  /** The definitions that gave letters up, by hash: a head, and their texts in parts. */
  definitions: 'definitions',
  /** Which letters need which definition. Values are empty. */
  uses: 'definitions-used',
} as const;

/** Milliseconds since the epoch have thirteen digits until the year 2286. */
const digits = 13;
const last = 10 ** digits - 1;

const padded = (ms: number): string => String(Math.min(last, Math.max(0, Math.floor(ms)))).padStart(digits, '0');

/** Keys begin with the time, so that they stand in its order. */
export const oldestFirst = (failedAt: number, id: string): string => `${padded(failedAt)} ${id}`;
export const newestFirst = (failedAt: number, id: string): string => `${padded(last - failedAt)} ${id}`;

export const idIn = (key: string): string => key.slice(digits + 1);

/** Behind all keys of that millisecond. A space sorts before everything that an id is made of. */
export const afterOldest = (failedAt: number): string => `${padded(failedAt)}!`;
export const afterNewest = (failedAt: number): string => `${padded(last - failedAt)}!`;

export const partKey = (of: string, part: number): string => `${of} ${String(part).padStart(4, '0')}`;
