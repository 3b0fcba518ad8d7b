/**
 * What outlives a message: a small ordered key–value store. Idempotency keys, the saga journal, dead letters, durable
 * channels and aggregates are built on these four operations, so that each store (memory, SQLite, Redis, PostgreSQL)
 * has to get only these right.
 *
 * Promises of every store:
 * - A write is all or nothing, also for readers and after a crash.
 * - When `write` resolves, the batch survives what `durable` says. Two batches never see half of each other: of many
 *   who put the same `absent` key, in whatever process, exactly one succeeds.
 * - What was written before a call of `get` or `list` began is seen by it. Writes that are not awaited have no order.
 * - Time to live is judged by the store's own clock; what has expired is invisible at once and removed some time later.
 *
 * Every operation rejects with a Failure: `store` (transient: not reachable, disk full …), `store-limit` (permanent: too
 * large). After a `store` failure without `sent: false` nobody knows whether the batch was written: read before it is
 * repeated, unless repeating does no harm.
 */

import type { StoreOptions } from './options.ts';

export type StoreKind = keyof StoreOptions;

export interface Store extends AsyncDisposable {
  readonly kind: StoreKind;
  /** Other processes may have the same store open: replicas share what is in it. */
  readonly shared: boolean;
  /**
   * Tells this opening of it from those before, where nobody else can have it open: what an earlier one was busy with is
   * over. Absent: others may be alive.
   */
  readonly session?: string;
  /** What was acknowledged survives the end of this process, however it ends. */
  readonly durable: boolean;

  /** `undefined`: not there, or expired. */
  get(space: string, key: string): Promise<Entry | undefined>;

  /** The entries of a space in the order of their keys' UTF-8 bytes, a page at a time. See also `entries.ts`. */
  list(space: string, options: ListOptions): Promise<Page>;

  /**
   * Writes all of `batch`, if every `when` holds in the state before it; else nothing. At most {@link limits.batch}
   * items, no key twice. The bytes may be changed by the caller only after it has settled.
   */
  write(batch: readonly Write[]): Promise<Written>;

  /** Waits for what is under way; from then on everything rejects. Idempotent. */
  close(): Promise<void>;
}

/** A key is ordered by its UTF-8 bytes; no NUL, no lone surrogates, 1 to {@link limits.key} bytes. So is a space. */
interface At {
  readonly space: string;
  readonly key: string;
}

/** Makes or replaces an entry. */
export interface Put extends At {
  readonly op: 'put';
  readonly value: Uint8Array;
  /** Milliseconds it is to live; absent = for ever. A put without it ends the time to live of what it replaces. */
  readonly ttl?: number | undefined;
  /** Only if nothing is there (`absent`), or if what is there has this version. */
  readonly when?: 'absent' | number | undefined;
}

/** Deletes an entry; one that is not there is as good as deleted. */
export interface Delete extends At {
  readonly op: 'delete';
  /** Only if what is there has this version. */
  readonly when?: number | undefined;
}

/** Writes no value, but nothing of the batch is written unless it holds: a lease that is still ours, say. */
export interface Check extends At {
  readonly op: 'check';
  readonly when: 'absent' | number;
  /** With a version: milliseconds it is to live from now on. Its version stays. */
  readonly ttl?: number | undefined;
}

export type Write = Put | Delete | Check;

export type Written =
  /** `version` is that of everything the batch put: greater than any before it in this store, so it fences. */
  | { readonly written: true; readonly version: number }
  /** `conflict`: index of the first item whose `when` did not hold. Nothing was written. */
  | { readonly written: false; readonly conflict: number };

export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  /** Changes with every put; never goes back, also when the key was deleted in between. */
  readonly version: number;
  /** Milliseconds it still had when it was read; `undefined` = for ever. */
  readonly ttl: number | undefined;
}

export interface ListOptions {
  /** Only keys that begin with it. */
  readonly prefix?: string | undefined;
  /** Only keys behind it: the `next` of the page before. It need not exist. */
  readonly after?: string | undefined;
  /** Entries of a page, 1 to {@link limits.page}. */
  readonly limit: number;
}

export interface Page {
  /** At most `limit`; fewer when the values are large, even none when the keys looked at had expired. */
  readonly entries: readonly Entry[];
  /** Where the next page goes on; `undefined` = this was the last. */
  readonly next: string | undefined;
}

/** Sizes are in bytes. */
export const limits = {
  /** Of the name of a space. */
  space: 128,
  /** Of a key. */
  key: 1024,
  /** Of one value. */
  value: 16 * 1024 ** 2,
  /** Items of one batch. */
  batch: 256,
  /** All values of one batch together. */
  batchBytes: 32 * 1024 ** 2,
  /** Entries of one page. */
  page: 1000,
  /** A page ends before its values together would be larger, unless its first alone is. */
  pageBytes: 4 * 1024 ** 2,
  /** Milliseconds an entry may live: ten years of 366 days. */
  ttl: 10 * 366 * 24 * 3_600_000,
} as const;
