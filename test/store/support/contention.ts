/** Many who write at once. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type OpenSubject, put, text, textAt, written } from './subject.ts';

export function contention(open: OpenSubject): void {
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
}
