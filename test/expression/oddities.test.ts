import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileExpression } from '../../src/expression/expression.ts';

const oddities = (source: string): readonly string[] =>
  compileExpression(source)
    .oddities()
    .map(({ kind, start, end }) => `${kind}: ${source.slice(start, end)}`)
    .filter((one) => !one.startsWith('word'));

describe('what can hardly be meant', () => {
  test('a field that is called', () => {
    assert.deepEqual(oddities("contains(sku, 'x') and $exists(a)"), ['call: contains']);
    assert.deepEqual(oddities('$map(items, function($i) { $i.name.trim() })'), ['call: trim']);
  });

  test('text in a sum, a field in brackets, and a star', () => {
    assert.deepEqual(oddities('"a" + b'), ['text-in-sum: +']);
    assert.deepEqual(oddities('$headers["x-a"] = 1'), ['member: ["x-a"]']);
    assert.deepEqual(oddities('items[*].price'), ['star: [*]']);
  });

  test('a word that stands where a value is compared, and not where it is taken', () => {
    const words = (source: string): readonly string[] =>
      compileExpression(source)
        .oddities()
        .flatMap((one) => (one.kind === 'word' ? [one.name] : []));
    assert.deepEqual(words('yes'), ['yes']);
    assert.deepEqual(words('a = undefined'), ['a', 'undefined']);
    assert.deepEqual(words('{ "number": no, "x": items.no }'), []);
    assert.deepEqual(words('{ "a": ‘b’ }'), ['‘b’']);
  });

  test('nothing where a field of an object of the expression is a function', () => {
    assert.deepEqual(oddities('($lib := { "f": function($x) { $x + 1 } }; $lib.f(2))'), []);
    assert.deepEqual(oddities('{ "total": $sum }.total([1, 2])'), []);
  });

  test('nothing in what is everyday', () => {
    for (const source of [
      'a & "b"',
      'items[price > 3].name',
      'a.*.b',
      '$sum(items.(price * quantity))',
      'a[0]',
      'a[]',
    ]) {
      assert.deepEqual(oddities(source), [], source);
    }
  });
});
