/** What every store must do, whatever it is made of. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../../src/errors.ts';
import { limits } from '../../../src/store/store.ts';
import { contention } from './contention.ts';
import { lists } from './lists.ts';
import { bytes, check, keysOf, type OpenSubject, put, remove, textAt, written } from './subject.ts';

const failsWith =
  (code: string, pattern: RegExp = /./) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, pattern);
    return true;
  };

export function conformance(open: OpenSubject): void {
  lists(open);
  contention(open);

  describe('entries', () => {
    test('what was put is got again, byte for byte', async (t) => {
      const { store } = await open(t);
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      const large = new Uint8Array(1024 ** 2).fill(7);
      for (const [key, value] of Object.entries({ all, empty: new Uint8Array(), large })) {
        await store.write([{ op: 'put', space: 'test', key, value }]);
        const entry = await store.get('test', key);
        assert.ok(entry && Buffer.compare(entry.value, value) === 0, key);
        assert.equal(entry.key, key);
        assert.equal(entry.ttl, undefined);
      }
    });

    test('what is not there is undefined', async (t) => {
      const { store } = await open(t);
      assert.equal(await store.get('test', 'nothing'), undefined);
      assert.deepEqual(await store.list('nothing', { limit: 10 }), { entries: [], next: undefined });
    });

    test('bytes belong to the caller: changing them later changes nothing in the store', async (t) => {
      const { store } = await open(t);
      const value = bytes('as it was');
      await store.write([{ op: 'put', space: 'test', key: 'a', value }]);
      value.fill(0);
      (await store.get('test', 'a'))?.value.fill(0);
      (await store.list('test', { limit: 1 })).entries[0]?.value.fill(0);
      assert.equal(await textAt(store, 'a'), 'as it was');
    });

    test('each put has a greater version, also behind a deletion and in another space', async (t) => {
      const { store } = await open(t);
      const versions = [
        await written(store, put('a')),
        await written(store, put('a')),
        await written(store, remove('a')),
        await written(store, put('a')),
        await written(store, put('a', 'a', {}, 'other')),
      ];
      assert.deepEqual(
        versions,
        versions.toSorted((a, b) => a - b),
      );
      assert.equal(new Set(versions).size, versions.length);
      assert.equal((await store.get('test', 'a'))?.version, versions[3]);
    });

    test('all that a batch puts has its version', async (t) => {
      const { store } = await open(t);
      const version = await written(store, put('a'), put('b'), put('c', 'c', {}, 'other'));
      assert.equal((await store.get('test', 'a'))?.version, version);
      assert.equal((await store.get('test', 'b'))?.version, version);
      assert.equal((await store.get('other', 'c'))?.version, version);
    });

    test('spaces do not meet, whatever their names and keys', async (t) => {
      const { store } = await open(t);
      const names = ['a', 'a:b', 'a b', 'ä', '{a}', '%', "'", '"', '\n', '__proto__', 'x'.repeat(limits.space)];
      await written(store, ...names.flatMap((space) => names.map((key) => put(key, `${space}/${key}`, {}, space))));
      for (const space of names) {
        for (const key of names) assert.equal(await textAt(store, key, space), `${space}/${key}`);
        const { entries: all } = await store.list(space, { limit: 100 });
        assert.deepEqual(all.map((entry) => entry.key).sort(), names.toSorted());
      }
    });

    test('a deletion of what is not there does no harm', async (t) => {
      const { store } = await open(t);
      await written(store, remove('a'), put('b'));
      await written(store, remove('b'));
      assert.equal(await store.get('test', 'b'), undefined);
      assert.deepEqual(await keysOf(store), []);
    });
  });

  describe('conditions', () => {
    test('absent: only where nothing is', async (t) => {
      const { store } = await open(t);
      await written(store, put('a', 'first', { when: 'absent' }));
      assert.deepEqual(await store.write([put('a', 'second', { when: 'absent' })]), { written: false, conflict: 0 });
      assert.equal(await textAt(store, 'a'), 'first');
      await written(store, remove('a'));
      await written(store, put('a', 'third', { when: 'absent' }));
      assert.equal(await textAt(store, 'a'), 'third');
    });

    test('a version: only what was seen is replaced or deleted', async (t) => {
      const { store } = await open(t);
      const first = await written(store, put('a', 'first'));
      const second = await written(store, put('a', 'second', { when: first }));
      assert.deepEqual(await store.write([put('a', 'late', { when: first })]), { written: false, conflict: 0 });
      assert.deepEqual(await store.write([remove('a', { when: first })]), { written: false, conflict: 0 });
      assert.deepEqual(await store.write([put('none', 'x', { when: second })]), { written: false, conflict: 0 });
      await written(store, remove('a', { when: second }));
      assert.equal(await store.get('test', 'a'), undefined);
    });

    test('when one does not hold nothing is written, and the first that does not is named', async (t) => {
      const { store } = await open(t);
      const version = await written(store, put('there', 'old'));
      const batch = [
        put('new'),
        put('there', 'changed', { when: version }),
        remove('there-not', { when: version }),
        put('there-not', 'x', { when: version + 1000 }, 'other'),
      ];
      assert.deepEqual(await store.write(batch), { written: false, conflict: 2 });
      assert.equal(await textAt(store, 'there'), 'old');
      assert.equal(await store.get('test', 'new'), undefined);
    });

    test('all are judged by what was there before the batch', async (t) => {
      const { store } = await open(t);
      const version = await written(store, put('a'));
      await written(store, remove('a'), put('b', 'b', { when: 'absent' }), check('c', 'absent'), put('d'));
      assert.deepEqual(await store.write([put('b'), check('a', version)]), { written: false, conflict: 1 });
    });

    test('a check guards the rest of its batch and changes nothing itself', async (t) => {
      const { store } = await open(t);
      const version = await written(store, put('lease'));
      await written(store, check('lease', version), check('nobody', 'absent'), put('guarded'));
      assert.equal((await store.get('test', 'lease'))?.version, version);
      await written(store, put('lease'));
      assert.deepEqual(await store.write([put('guarded', 'late'), check('lease', version)]), {
        written: false,
        conflict: 1,
      });
      assert.equal(await textAt(store, 'guarded'), 'guarded');
    });
  });

  describe('time to live', () => {
    test('until it has passed the entry says how long it has, then it is gone', async (t) => {
      const { store, until } = await open(t);
      await written(store, put('long', 'long', { ttl: 3_600_000 }), put('short', 'short', { ttl: 1_000 }));
      const long = await store.get('test', 'long');
      assert.ok(long?.ttl !== undefined && long.ttl > 3_500_000 && long.ttl <= 3_600_000, `${long?.ttl}`);
      assert.deepEqual(await keysOf(store), ['long', 'short']);
      await until('it is gone', async () => (await store.get('test', 'short')) === undefined);
      assert.deepEqual(await keysOf(store), ['long']);
      assert.equal(await textAt(store, 'long'), 'long');
    });

    test('what has expired is absent, and has no version', async (t) => {
      const { store, until } = await open(t);
      const version = await written(store, put('a', 'old', { ttl: 100 }));
      await until('it is gone', async () => (await store.get('test', 'a')) === undefined);
      assert.deepEqual(await store.write([check('a', version)]), { written: false, conflict: 0 });
      assert.deepEqual(await store.write([remove('a', { when: version })]), { written: false, conflict: 0 });
      const later = await written(store, put('a', 'new', { when: 'absent' }));
      assert.ok(later > version);
      assert.equal(await textAt(store, 'a'), 'new');
      assert.equal((await store.get('test', 'a'))?.ttl, undefined);
    });

    test('a put without one ends it; a check with one begins it anew and keeps value and version', async (t) => {
      const { store, until } = await open(t);
      const versions = await Promise.all(
        ['kept', 'renewed', 'gone'].map((key) => written(store, put(key, key, { ttl: 2_000 }))),
      );
      await written(store, put('kept', 'kept'));
      await written(store, check('renewed', versions[1] ?? 0, 3_600_000));
      await until('the third is gone', async () => (await store.get('test', 'gone')) === undefined);
      assert.equal(await textAt(store, 'kept'), 'kept');
      const renewed = await store.get('test', 'renewed');
      assert.equal(renewed?.version, versions[1]);
      assert.ok(renewed?.ttl !== undefined && renewed.ttl > 3_000_000, `${renewed?.ttl}`);
      assert.deepEqual(await keysOf(store), ['kept', 'renewed']);
    });

    test('expired entries in between do not hide those behind them', async (t) => {
      const { store, until } = await open(t);
      const many = Array.from({ length: 60 }, (_, i) => `a${String(i).padStart(3, '0')}`);
      await written(store, ...many.map((key) => put(key, key, { ttl: 100 })), put('b'));
      await until('they are gone', async () => (await store.get('test', 'a000')) === undefined);
      assert.deepEqual(await keysOf(store, { limit: 10 }), ['b']);
    });
  });

  describe('what is not taken', () => {
    test('keys, values, batches and pages of the largest size are', async (t) => {
      const { store } = await open(t);
      const key = 'k'.repeat(limits.key);
      const space = 's'.repeat(limits.space);
      await store.write([{ op: 'put', space, key, value: new Uint8Array(limits.value).fill(1) }]);
      assert.equal((await store.get(space, key))?.value.byteLength, limits.value);
      const batch = Array.from({ length: limits.batch }, (_, i) => put(`${i}`));
      await written(store, ...batch);
      assert.equal((await store.list('test', { limit: limits.page })).entries.length, limits.batch);
    });

    test('larger ones are refused for good, with their size and the limit', async (t) => {
      const { store } = await open(t);
      const limit = failsWith('store-limit', /\d+/);
      await assert.rejects(store.write([put('k'.repeat(limits.key + 1))]), failsWith('store-limit', /1025 bytes/));
      await assert.rejects(store.get('test', 'ä'.repeat(limits.key / 2 + 1)), limit);
      await assert.rejects(store.get('s'.repeat(limits.space + 1), 'k'), limit);
      const large = new Uint8Array(limits.value + 1);
      await assert.rejects(store.write([{ op: 'put', space: 'test', key: 'a', value: large }]), limit);
      const half = new Uint8Array(limits.batchBytes / 2 - 1);
      const three = ['a', 'b', 'c'].map((key) => ({ op: 'put', space: 'test', key, value: half }) as const);
      await assert.rejects(store.write(three), limit);
      await assert.rejects(store.write(Array.from({ length: limits.batch + 1 }, (_, i) => put(`${i}`))), limit);
      assert.deepEqual(await keysOf(store), []);
    });

    test('keys that not every store can keep apart are refused', async (t) => {
      const { store } = await open(t);
      for (const key of ['', 'a\0b', '\ud83d', 'a\udc00']) {
        await assert.rejects(store.write([put(key)]), failsWith('store-limit'));
        await assert.rejects(store.get('test', key), failsWith('store-limit'));
      }
    });

    test('what only a mistake in Dowel can ask for is a bug', async (t) => {
      const { store } = await open(t);
      const bug = failsWith('bug');
      await assert.rejects(store.write([]), bug);
      await assert.rejects(store.write([put('a'), remove('a')]), bug);
      await assert.rejects(store.write([put('a', 'a', { ttl: 0 })]), bug);
      await assert.rejects(store.write([put('a', 'a', { ttl: Number.NaN })]), bug);
      await assert.rejects(store.write([put('a', 'a', { when: 0 })]), bug);
      await assert.rejects(store.write([check('a', 'absent', 10)]), bug);
      await assert.rejects(store.list('test', { limit: 0 }), bug);
      await assert.rejects(store.list('', { limit: 1 }), bug);
    });
  });

  describe('its end', () => {
    test('what is under way is written, what comes later is refused', async (t) => {
      const { store, reopen } = await open(t);
      const under = Promise.all([store.write([put('a')]), store.write([put('b')])]);
      await store.close();
      assert.ok((await under).every((result) => result.written));
      for (const late of [store.get('test', 'a'), store.list('test', { limit: 1 }), store.write([put('c')])]) {
        await assert.rejects(late, (error: unknown) => {
          assert.ok(failsWith('store', /closed/)(error));
          assert.equal((error as Failure).facts['sent'], false);
          return true;
        });
      }
      await store.close();
      if (reopen) assert.deepEqual(await keysOf(await reopen()), ['a', 'b']);
    });

    test('what was written is there when it is opened again, and versions go on', async (t) => {
      const { store, reopen } = await open(t);
      if (!reopen) {
        assert.equal(store.durable, false);
        return;
      }
      const before = await written(store, put('a', 'kept'), put('b', 'b', { ttl: 3_600_000 }));
      await written(store, remove('a'), put('c'));
      await store.close();
      const again = await reopen();
      assert.deepEqual(await keysOf(again), ['b', 'c']);
      assert.equal((await again.get('test', 'b'))?.version, before);
      assert.ok(((await again.get('test', 'b'))?.ttl ?? 0) > 3_000_000);
      assert.ok((await written(again, put('d'))) > before + 1);
    });
  });
}
