/** Leases on a store: what every store's promises add up to. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { Lease } from '../../../src/store/lease.ts';
import type { Store } from '../../../src/store/store.ts';
import { type OpenSubject, put, written } from './subject.ts';

const acquire = (store: Store, ms: number): Promise<Lease | undefined> => Lease.acquire(store, systemClock, 'work', ms);

export function leases(open: OpenSubject): void {
  describe('leases', () => {
    test('one holder at a time; whoever comes after a release gets a greater token', async (t) => {
      const { store } = await open(t);
      const all = await Promise.all(Array.from({ length: 10 }, () => acquire(store, 60_000)));
      const [first, ...others] = all.filter((lease) => lease !== undefined);
      assert.ok(first && others.length === 0);
      assert.ok(first.left > 50_000 && first.left <= 60_000);
      await first.release();
      assert.equal(first.left, 0);
      const second = await acquire(store, 60_000);
      assert.ok(second && second.token > first.token);
      assert.equal(await Lease.acquire(store, systemClock, 'work', 10), undefined);
      assert.ok(await Lease.acquire(store, systemClock, 'other work', 60_000));
    });

    test('one that is not renewed passes to the next, and the old holder can write no more', async (t) => {
      const { store, until } = await open(t);
      const old = await acquire(store, 1_000);
      assert.ok(old);
      await written(store, put('a', 'by the holder'), old.held);
      let next: Lease | undefined;
      await until('somebody else gets it', async () => {
        next = await acquire(store, 60_000);
        return next !== undefined;
      });
      assert.ok(next && next.token > old.token);
      assert.deepEqual(await store.write([put('a', 'late'), old.held]), { written: false, conflict: 1 });
      assert.equal(await old.renew(), false);
      assert.equal(old.left, 0);
      await old.release();
      assert.equal(await acquire(store, 10), undefined);
    });

    test('renewing keeps it, under the same token', async (t) => {
      const { store, until } = await open(t);
      const lease = await acquire(store, 2_000);
      assert.ok(lease);
      const { token } = lease;
      let renewals = 0;
      // A marker that lives as long as the lease first would.
      await written(store, put('marker', 'x', { ttl: 2_500 }));
      await until('its first time is over', async () => {
        assert.equal(await lease.renew(), true);
        renewals++;
        return (await store.get('test', 'marker')) === undefined;
      });
      assert.ok(renewals > 1);
      assert.equal(lease.token, token);
      await written(store, put('a'), lease.held);
    });
  });
}
