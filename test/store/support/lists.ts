/** Reading many entries, in order and page by page. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../../../src/store/store.ts';
import { keysOf, type OpenSubject, put, text, written } from './subject.ts';

export function lists(open: OpenSubject): void {
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
}
