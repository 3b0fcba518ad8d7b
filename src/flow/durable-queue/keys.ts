/** Where the messages of a queue stand in the store: `<queue> <owner> <number>`, so that a list gives them in order. */
import type { Store } from '../../store/store.ts';

export const space = 'queue';

/** Why a write of ours was refused. */
export const lost = 'this process was silent for so long that another one may have taken its messages over';

const digits = 16;

const prefixOf = (queue: string): string => `${encodeURIComponent(queue)} `;

export const partPrefix = (queue: string, owner: string): string => `${prefixOf(queue)}${owner} `;

export const numbered = (prefix: string, number: number): string => prefix + String(number).padStart(digits, '0');

export const numberOf = (key: string): number => Number(key.slice(-digits));

/** Names of all queues that hold messages. */
export async function queueNames(store: Store): Promise<readonly string[]> {
  return (await firstWords(store, '')).map(decodeURIComponent);
}

/** Names of all processes that have messages in the queue. */
export function ownersOf(store: Store, queue: string): Promise<readonly string[]> {
  return firstWords(store, prefixOf(queue));
}

/** The words that follow `prefix` in keys: one look for each, however many keys begin with it. */
async function firstWords(store: Store, prefix: string): Promise<readonly string[]> {
  const words: string[] = [];
  let after: string | undefined;
  do {
    const { entries, next } = await store.list(space, { prefix, after, limit: 1 });
    const word = entries[0]?.key.slice(prefix.length).split(' ', 1)[0];
    if (word !== undefined) words.push(word);
    after = word === undefined ? next : `${prefix}${word} \u{10ffff}`;
  } while (after !== undefined);
  return words;
}

/** The numbers of the first and the last entry; the last is found by halving, since a store lists forwards only. */
export async function bounds(
  store: Store,
  prefix: string,
): Promise<{ readonly first: number; readonly last: number } | undefined> {
  const after = async (key: string | undefined): Promise<number | undefined> => {
    const { entries } = await store.list(space, { prefix, after: key, limit: 1 });
    const found = entries[0]?.key;
    return found === undefined ? undefined : numberOf(found);
  };
  const first = await after(undefined);
  if (first === undefined) return undefined;
  let low = first;
  let step = 1;
  let high: number | undefined;
  // `low` is there, behind `high` there is nothing.
  while (high === undefined || low < high) {
    const probe = high === undefined ? low + step : Math.floor((low + high) / 2);
    const found = await after(numbered(prefix, probe));
    if (found === undefined) high = probe;
    else {
      low = found;
      step *= 2;
    }
  }
  return { first, last: low };
}
