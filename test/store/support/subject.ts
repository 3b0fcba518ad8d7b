import type { TestContext } from 'node:test';
import type { Log } from '../../../src/core/exchange.ts';
import type { Failure } from '../../../src/errors.ts';
import { entries } from '../../../src/store/entries.ts';
import type { Store, Write } from '../../../src/store/store.ts';

/** A store under test, on data of its own. */
export interface Opened {
  readonly store: Store;
  /** Lets time pass until `holds`: real time for a server, virtual time for a store that is given its clock. */
  readonly until: (what: string, holds: () => Promise<boolean>) => Promise<void>;
  /** Closes it and opens it again on the same data; absent = nothing survives. */
  readonly reopen?: () => Promise<Store>;
}

/** Opens a store on data that nobody has used, and closes it with the test. */
export type OpenSubject = (t: TestContext) => Promise<Opened>;

export const quietLog: Log = { debug() {}, info() {}, warn() {}, error() {}, debugging: false };

export const failOnFatal = (error: Failure): never => {
  throw error;
};

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (value: Uint8Array): string => new TextDecoder().decode(value);

type Fields<W, K extends string> = W extends { readonly op: K } ? Omit<W, 'op' | 'space' | 'key' | 'value'> : never;

export const put = (key: string, value = key, options: Fields<Write, 'put'> = {}, space = 'test'): Write => ({
  op: 'put',
  space,
  key,
  value: bytes(value),
  ...options,
});

export const remove = (key: string, options: Fields<Write, 'delete'> = {}, space = 'test'): Write => ({
  op: 'delete',
  space,
  key,
  ...options,
});

export const check = (key: string, when: 'absent' | number, ttl?: number, space = 'test'): Write => ({
  op: 'check',
  space,
  key,
  when,
  ttl,
});

/** The version of a batch that must have been written. */
export async function written(store: Store, ...batch: readonly Write[]): Promise<number> {
  const result = await store.write(batch);
  if (!result.written) throw new Error(`not written: conflict at ${result.conflict}`);
  return result.version;
}

export const keysOf = async (store: Store, options: Parameters<typeof entries>[2] = {}): Promise<readonly string[]> => {
  const keys: string[] = [];
  for await (const entry of entries(store, 'test', options)) keys.push(entry.key);
  return keys;
};

export const textAt = async (store: Store, key: string, space = 'test'): Promise<string | undefined> => {
  const entry = await store.get(space, key);
  return entry && text(entry.value);
};
