import assert from 'node:assert/strict';
import type { StoreOptions } from '../../../src/store/options.ts';
import type { Store } from '../../../src/store/store.ts';
import { waiting } from './real-time.ts';
import type { OpenSubject } from './subject.ts';

export type Open = (options: StoreOptions) => Promise<Store>;

/** A store of its own for each test, which can be closed and opened again. */
export const onServer =
  (fresh: () => StoreOptions, open: Open): OpenSubject =>
  async (t) => {
    const options = fresh();
    let store = await open(options);
    t.after(() => store.close());
    const reopen = async (): Promise<Store> => {
      await store.close();
      store = await open(options);
      return store;
    };
    return { store, until: waiting, reopen };
  };

/** Opening ends with the reason; `secret`, which tests give as a password, is never said. */
export const refusing =
  (open: Open) =>
  (options: StoreOptions, reason: RegExp): Promise<void> =>
    assert.rejects(open(options), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'startup', error.message);
      assert.match(error.message, reason);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });

/** Whether the store answers, and has it. */
export const has = (store: Store, key: string): Promise<boolean> =>
  store.get('test', key).then(
    (entry) => entry !== undefined,
    () => false,
  );
