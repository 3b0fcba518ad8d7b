import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hashed, keyText } from '../../../src/steps/parts/key.ts';

describe('a key', () => {
  test('is text; a number and its digits are the same', () => {
    assert.equal(keyText('a'), 'a');
    assert.equal(keyText(7), keyText('7'));
    assert.equal(keyText(false), 'false');
    assert.equal(keyText(0), '0');
  });

  test('is the same for equal values, whatever the order of their keys', () => {
    assert.equal(keyText({ a: 1, b: { d: [1, { y: 2, x: 1 }], c: 3 } }), '{"a":1,"b":{"c":3,"d":[1,{"x":1,"y":2}]}}');
    assert.equal(
      keyText({ b: { c: 3, d: [1, { x: 1, y: 2 }] }, a: 1 }),
      keyText({ a: 1, b: { d: [1, { y: 2, x: 1 }], c: 3 } }),
    );
    assert.notEqual(keyText([1, 2]), keyText([2, 1]));
  });

  test('is none where an expression yielded nothing', () => {
    for (const value of [undefined, null, '', []]) assert.equal(keyText(value), undefined);
  });

  test('has the same length in the store, whatever its own', () => {
    assert.equal(hashed('').length, hashed('x'.repeat(100_000)).length);
    assert.notEqual(hashed('a'), hashed('b'));
  });
});
