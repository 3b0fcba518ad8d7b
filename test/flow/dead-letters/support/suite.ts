/** What dead letters promise on every store. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { systemRandom } from '../../../../src/core/random.ts';
import { DeadLetters, type FoundLetter } from '../../../../src/flow/dead-letters/dead-letters.ts';
import type { Store } from '../../../../src/store/store.ts';
import { definition, idsOf, letter, litter } from './letters.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

async function found(letters: DeadLetters, id: string): Promise<FoundLetter> {
  const one = await letters.get(id);
  assert.ok(one, `the letter ${id} is there`);
  return one;
}

export function deadLetters(open: (t: TestContext) => Promise<{ readonly store: Store }>): void {
  const opened = async (t: TestContext) => {
    const { store } = await open(t);
    return { store, letters: new DeadLetters(store, systemRandom) };
  };

  describe('dead letters', () => {
    test('a letter comes back as it was, byte for byte', async (t) => {
      const { letters } = await opened(t);
      const kept = letter({
        headers: { 'x-one': 'a', 'x-two': ['b', 'c'] },
        source: { topic: 'orders', offset: 12 },
        params: { id: '7' },
        query: { all: ['x', 'y'] },
        traceId: '0af7651916cd43dd8448eb211c80319c',
      });
      const body = Uint8Array.from({ length: 256 }, (_, i) => i);
      assert.equal(await letters.keep(kept, body), 'a');
      const one = await found(letters, 'a');
      assert.deepEqual(JSON.parse(JSON.stringify(one.letter)), JSON.parse(JSON.stringify(kept)));
      assert.equal('constructor' in one.letter.headers, false, 'headers have no prototype');
      assert.equal(one.size, 256);
      assert.deepEqual([...(await letters.body(one))], [...body]);
    });

    test('a body that is empty, and ones larger than a value or a batch of the store', async (t) => {
      const { store, letters } = await opened(t);
      const sizes = { empty: 0, one: 1, value: 5 * 1024 ** 2, batch: 17 * 1024 ** 2 };
      for (const [id, size] of Object.entries(sizes)) {
        const body = randomBytes(size);
        await letters.keep(letter({ id }), body);
        const one = await found(letters, id);
        assert.equal(one.size, size);
        assert.ok(body.equals(await letters.body(one)), `${id} is what it was`);
        assert.equal(await letters.remove(one), true);
      }
      assert.deepEqual(await litter(store), []);
    });

    test('the same message again takes the place of its letter', async (t) => {
      const { store, letters } = await opened(t);
      await letters.keep(letter({ failedAt: 2_000 }), bytes('old'));
      const before = await found(letters, 'a');
      await letters.keep(letter({ failedAt: 5_000, code: 'timeout' }), bytes('new'));
      assert.deepEqual(await idsOf(letters), ['a']);
      assert.deepEqual(await idsOf(letters, { order: 'oldest' }), ['a']);
      const one = await found(letters, 'a');
      assert.deepEqual([one.letter.code, one.letter.failedAt], ['timeout', 5_000]);
      assert.equal(Buffer.from(await letters.body(one)).toString(), 'new');
      await assert.rejects(letters.body(before), { code: 'store' });
      assert.equal(await letters.remove(before), false, 'it is another one by now');
      assert.equal(await letters.remove(one), true);
      assert.deepEqual(await litter(store), []);
    });

    test('several things to undo of one message do not take the place of each other, nor of the message', async (t) => {
      const { letters } = await opened(t);
      await letters.keep(letter(), bytes('{}'));
      const places = ['orders/steps/0 call', 'orders/steps/1 call'];
      const ids = await Promise.all(places.map((place) => letters.keep(letter({ type: 'undo', place }), bytes('{}'))));
      // The same place, of another element of a `forEach`.
      ids.push(await letters.keep(letter({ type: 'undo', place: places[0] }), bytes('{"n":2}')));
      for (const id of ids) assert.match(id, /^a-undo-[\da-f]{8}$/);
      assert.deepEqual(new Set(await idsOf(letters)), new Set(['a', ...ids]));
      assert.equal(ids.length, new Set(ids).size);
    });

    test('they are listed by time, newest or oldest first, a page at a time', async (t) => {
      const { letters } = await opened(t);
      const times = [5_000, 1_000, 9_999_999_999, 3_000, 3_000, 2_000];
      for (const [i, failedAt] of times.entries()) await letters.keep(letter({ id: `l${i}`, failedAt }), bytes('{}'));
      const newest = ['l2', 'l0', 'l3', 'l4', 'l5', 'l1'];
      const oldest = ['l1', 'l5', 'l3', 'l4', 'l0', 'l2'];
      for (const limit of [1, 2, 6, 100]) {
        assert.deepEqual(await idsOf(letters, { limit }), newest);
        assert.deepEqual(await idsOf(letters, { limit, order: 'oldest' }), oldest);
      }
      const page = await letters.list({ limit: 2 });
      assert.deepEqual([page.letters.length, typeof page.next], [2, 'string']);
    });

    test('filters choose by flow, by code, class or kind, and by time', async (t) => {
      const { letters } = await opened(t);
      await letters.keep(letter({ id: 'a', failedAt: 1_000 }), bytes(''));
      await letters.keep(letter({ id: 'b', failedAt: 2_000, flow: 'billing' }), bytes(''));
      await letters.keep(letter({ id: 'c', failedAt: 3_000, code: 'validation', kind: 'permanent' }), bytes(''));
      await letters.keep(letter({ id: 'd', failedAt: 4_000, code: 'http-503' }), bytes(''));
      const expected: readonly (readonly [object, readonly string[]])[] = [
        [{ flow: 'billing' }, ['b']],
        [{ code: 'http-500' }, ['a', 'b']],
        [{ code: 'http-5xx' }, ['a', 'b', 'd']],
        [{ code: 'permanent' }, ['c']],
        [{ since: 2_000 }, ['b', 'c', 'd']],
        [{ until: 3_000 }, ['a', 'b']],
        [{ since: 2_000, until: 4_000, flow: 'orders' }, ['c']],
        [{ flow: 'nothing' }, []],
      ];
      for (const [filter, ids] of expected) {
        for (const limit of [1, 100]) {
          assert.deepEqual(await idsOf(letters, { ...filter, limit, order: 'oldest' }), ids, JSON.stringify(filter));
          assert.deepEqual(await idsOf(letters, { ...filter, limit }), [...ids].reverse(), JSON.stringify(filter));
        }
      }
    });

    test('a definition is kept once, and as long as a letter needs it', async (t) => {
      const { store, letters } = await opened(t);
      const [one, other] = [definition('one'), definition('other')];
      await letters.keep(letter({ id: 'a' }), bytes('{}'), one);
      await letters.keep(letter({ id: 'b' }), bytes('{}'), one);
      await letters.keep(letter({ id: 'c', version: '2.0.0' }), bytes('{}'), other);
      assert.deepEqual(await letters.definitions.get(one.hash), one);
      assert.deepEqual((await found(letters, 'c')).head.original, { hash: other.hash, version: '2.0.0' });
      await letters.remove(await found(letters, 'a'));
      assert.deepEqual(await letters.definitions.get(one.hash), one);
      await letters.remove(await found(letters, 'b'));
      assert.equal(await letters.definitions.get(one.hash), undefined);
      assert.deepEqual(await letters.definitions.get(other.hash), other);
      await letters.remove(await found(letters, 'c'));
      assert.deepEqual(await litter(store), []);
    });

    test('what gave a message up first stays its original, whatever fails with it later', async (t) => {
      const { store, letters } = await opened(t);
      const [one, other] = [definition('one'), definition('other')];
      await letters.keep(letter({ version: '1' }), bytes('{}'), one);
      await letters.keep(letter({ version: '2', failedAt: 3_000 }), bytes('{}'), other);
      const again = await found(letters, 'a');
      assert.deepEqual([again.head.original, again.letter.version], [{ hash: one.hash, version: '1' }, '2']);
      assert.equal(await letters.definitions.get(other.hash), undefined);
      await letters.remove(again);
      assert.deepEqual(await litter(store), []);
    });

    test('of many who remove a letter at once one does', async (t) => {
      const { letters } = await opened(t);
      await letters.keep(letter(), bytes('{}'));
      const one = await found(letters, 'a');
      const removed = await Promise.all(Array.from({ length: 10 }, () => letters.remove(one)));
      assert.equal(removed.filter((did) => did).length, 1);
    });

    test('many letters of one definition come and go at once: it is there exactly while one of them is', async (t) => {
      const { store, letters } = await opened(t);
      const shared = definition('shared');
      for (let round = 0; round < 5; round++) {
        const come = Array.from({ length: 8 }, (_, i) =>
          letters.keep(letter({ id: `${round}-${i}` }), bytes('{}'), shared),
        );
        const before = await letters.list({ limit: 100, flow: 'orders' });
        // Some of this round may have come by then: they stay.
        const old = before.letters.filter(({ id }) => !id.startsWith(`${round}-`));
        const go = old.map(async ({ id }) => letters.remove(await found(letters, id)));
        await Promise.all([...come, ...go]);
        assert.equal((await idsOf(letters)).filter((id) => id.startsWith(`${round}-`)).length, 8);
        assert.ok(await letters.definitions.get(shared.hash), 'it is there');
      }
      for (const id of await idsOf(letters)) await letters.remove(await found(letters, id));
      assert.deepEqual(await litter(store), []);
    });

    test('the same letter kept by several at once is one letter, whole', async (t) => {
      const { letters } = await opened(t);
      const texts = ['one', 'two', 'three', 'four'];
      await Promise.all(texts.map((text, i) => letters.keep(letter({ failedAt: 1_000 + i }), bytes(text))));
      assert.deepEqual(await idsOf(letters), ['a']);
      assert.deepEqual(await idsOf(letters, { order: 'oldest' }), ['a']);
      const text = Buffer.from(await letters.body(await found(letters, 'a'))).toString();
      assert.ok(texts.includes(text));
    });
  });
}
