import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedCache } from '../../src/core/bounded-cache.ts';
import { seededRandom } from '../../src/core/random.ts';

test('what was not asked for for longest goes first', () => {
  const cache = new BoundedCache<number>(2, 1_000_000);
  cache.set('a', 1, 10);
  cache.set('b', 2, 10);
  assert.equal(cache.get('a'), 1);
  cache.set('c', 3, 10);
  assert.deepEqual([cache.get('a'), cache.get('b'), cache.get('c')], [1, undefined, 3]);
});

test('what is larger than the whole is not kept, nor is what it was to replace', () => {
  const cache = new BoundedCache<number>(10, 1000);
  assert.equal(cache.set('a', 1, 100), true);
  assert.equal(cache.set('a', 2, 1000), false);
  assert.equal(cache.get('a'), undefined);
  assert.equal(cache.bytes, 0);
});

test('holds to its bounds, and to what a plain list of entries would hold, over random sequences', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = seededRandom(seed);
    const most = { entries: 1 + Math.floor(random.next() * 8), bytes: 500 + Math.floor(random.next() * 5000) };
    const there = new Set<number>();
    const cache = new BoundedCache<number>(most.entries, most.bytes, (_, value) => void there.delete(value));
    let model: { key: string; value: number; bytes: number }[] = [];
    for (let i = 0; i < 500; i++) {
      const key = `k${Math.floor(random.next() * 12)}`;
      const kind = random.next();
      const known = model.find((entry) => entry.key === key);
      if (kind < 0.45) {
        assert.equal(cache.get(key), known?.value, `seed ${seed}, step ${i}`);
        if (known) model = [...model.filter((entry) => entry !== known), known];
      } else if (kind < 0.9) {
        const size = Math.floor(random.next() * most.bytes * 1.1);
        const bytes = size + key.length * 2 + 200;
        model = model.filter((entry) => entry !== known);
        assert.equal(cache.set(key, i, size), bytes <= most.bytes);
        if (bytes <= most.bytes) {
          model.push({ key, value: i, bytes });
          there.add(i);
        }
        const sum = (): number => model.reduce((all, entry) => all + entry.bytes, 0);
        while (model.length > most.entries || sum() > most.bytes) model.shift();
      } else {
        cache.delete(key);
        model = model.filter((entry) => entry !== known);
      }
      assert.equal(cache.size, model.length);
      assert.deepEqual([...there].sort(), model.map((entry) => entry.value).sort());
      assert.equal(
        cache.bytes,
        model.reduce((all, entry) => all + entry.bytes, 0),
      );
      assert.ok(cache.size <= most.entries && cache.bytes <= most.bytes);
    }
  }
});
