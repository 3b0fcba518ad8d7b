/** What every store must do, whatever it is made of. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../../src/errors.ts';
import { entries } from '../../../src/store/entries.ts';
import { limits, type Store } from '../../../src/store/store.ts';
import { bytes, check, type OpenSubject, put, remove, text, written } from './subject.ts';

const keysOf = async (store: Store, options: Parameters<typeof entries>[2] = {}): Promise<readonly string[]> => {
  const keys: string[] = [];
  for await (const entry of entries(store, 'test', options)) keys.push(entry.key);
  return keys;
};

const textAt = async (store: Store, key: string, space = 'test'): Promise<string | undefined> => {
  const entry = await store.get(space, key);
  return entry && text(entry.value);
};

const failsWith =
  (code: string, pattern: RegExp = /./) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, pattern);
    return true;
  };

export function conformance(open: OpenSubject): void {
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

  describe('lists', () => {
    // Their UTF-16 code units have another order than their bytes.
    const keys = [
      'a',
      'a/1',
      'a/10',
      'a/2',
      'a0',
      'b',
      'z',
      'é',
      '\uffee',
      '\u{1f600}',
      '\u{1f600}b',
      ' ',
      '%',
      '[',
      '(',
    ];
    const inOrder = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

    test('keys come in the order of their bytes', async (t) => {
      const { store } = await open(t);
      await written(store, ...keys.map((key) => put(key)));
      assert.deepEqual(await keysOf(store), inOrder);
    });

    test('every page size, prefix and place to go on from gives what a plain filter gives', async (t) => {
      const { store } = await open(t);
      await written(store, ...keys.map((key) => put(key)));
      for (const prefix of [undefined, '', 'a', 'a/', '\u{1f600}', '%', '[', '(', 'nothing']) {
        for (const after of [undefined, ...keys, 'a/1!', '\u{10ffff}', '!']) {
          const behind = inOrder.filter((key) => key.startsWith(prefix ?? ''));
          const expected = behind.filter(
            (key) => after === undefined || Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0,
          );
          const limit = (after?.length ?? 0) + 2;
          const found = await keysOf(store, { prefix, after, limit });
          assert.deepEqual(found, expected, `prefix ${prefix}, after ${after}, limit ${limit}`);
        }
      }
    });

    test('a page says whether another follows', async (t) => {
      const { store } = await open(t);
      await written(store, put('a'), put('b'), put('c'));
      const first = await store.list('test', { limit: 2 });
      assert.deepEqual(
        first.entries.map(({ key, value }) => [key, text(value)]),
        [
          ['a', 'a'],
          ['b', 'b'],
        ],
      );
      assert.equal(first.next, 'b');
      const second = await store.list('test', { limit: 2, after: first.next });
      assert.deepEqual(
        second.entries.map((entry) => entry.key),
        ['c'],
      );
      assert.equal(second.next, undefined);
      assert.equal((await store.list('test', { limit: 3 })).next, undefined);
    });

    test('a page of large values is short, and nothing is left out', async (t) => {
      const { store } = await open(t);
      const megabyte = new Uint8Array(1024 ** 2);
      const huge = new Uint8Array(limits.pageBytes + 1);
      const all = ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => ({ key, value: megabyte }));
      all.push({ key: 'g', value: huge }, { key: 'h', value: megabyte });
      for (const { key, value } of all) await store.write([{ op: 'put', space: 'test', key, value }]);
      const sizes: number[] = [];
      const found: string[] = [];
      for (let after: string | undefined, more = true; more; ) {
        const page = await store.list('test', { limit: 100, after });
        sizes.push(page.entries.reduce((sum, entry) => sum + entry.value.byteLength, 0));
        if (page.entries.length > 1) assert.ok((sizes.at(-1) ?? 0) <= limits.pageBytes);
        found.push(...page.entries.map((entry) => entry.key));
        after = page.next;
        more = after !== undefined;
      }
      assert.deepEqual(
        found,
        all.map((one) => one.key),
      );
      assert.ok(sizes.length >= 4, `pages of ${sizes.join(', ')} bytes`);
    });

    test('many entries come page by page, each once', async (t) => {
      const { store } = await open(t);
      const many = Array.from({ length: 2500 }, (_, i) => String(i).padStart(5, '0'));
      for (let i = 0; i < many.length; i += limits.batch) {
        await written(store, ...many.slice(i, i + limits.batch).map((key) => put(key)));
      }
      assert.deepEqual(await keysOf(store), many);
    });
  });

  describe('time to live', () => {
    test('until it has passed the entry says how long it has, then it is gone', async (t) => {
      const { store, until } = await open(t);
      await written(store, put('long', 'long', { ttl: 3_600_000 }), put('short', 'short', { ttl: 100 }));
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
        ['kept', 'renewed', 'gone'].map((key) => written(store, put(key, key, { ttl: 1000 }))),
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

  describe('many at once', () => {
    test('of fifty who put the same absent key one succeeds', async (t) => {
      const { store } = await open(t);
      const results = await Promise.all(
        Array.from({ length: 50 }, (_, i) => store.write([put('a', `${i}`, { when: 'absent' })])),
      );
      const winners = results.flatMap((result, i) => (result.written ? [`${i}`] : []));
      assert.equal(winners.length, 1);
      assert.equal(await textAt(store, 'a'), winners[0]);
    });

    test('no increment is lost', async (t) => {
      const { store } = await open(t);
      await written(store, put('count', '0'));
      const increment = async (): Promise<void> => {
        for (;;) {
          const now = await store.get('test', 'count');
          assert.ok(now);
          const next = String(Number(text(now.value)) + 1);
          if ((await store.write([put('count', next, { when: now.version })])).written) return;
        }
      };
      await Promise.all(Array.from({ length: 20 }, increment));
      assert.equal(await textAt(store, 'count'), '20');
    });

    test('batches that cross each other neither wait for ever nor are seen half', async (t) => {
      const { store } = await open(t);
      const accounts = ['a', 'b', 'c', 'd'];
      await written(store, ...accounts.map((key) => put(key, '100')));
      let moving = true;
      const move = async (from: string, to: string, times: number): Promise<void> => {
        for (let done = 0; done < times; ) {
          const [giver, taker] = await Promise.all([store.get('test', from), store.get('test', to)]);
          assert.ok(giver && taker);
          const result = await store.write([
            put(from, `${Number(text(giver.value)) - 1}`, { when: giver.version }),
            put(to, `${Number(text(taker.value)) + 1}`, { when: taker.version }),
          ]);
          if (result.written) done++;
        }
      };
      const watch = async (): Promise<void> => {
        while (moving) {
          const { entries: all } = await store.list('test', { limit: 10 });
          const sum = all.reduce((total, entry) => total + Number(text(entry.value)), 0);
          assert.equal(sum, 400);
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      const watching = watch();
      const pairs = accounts.flatMap((from) => accounts.filter((to) => to !== from).map((to) => [from, to] as const));
      try {
        await Promise.all(pairs.map(([from, to]) => move(from, to, 5)));
      } finally {
        moving = false;
        await watching;
      }
      assert.deepEqual(await Promise.all(accounts.map((key) => textAt(store, key))), ['100', '100', '100', '100']);
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
