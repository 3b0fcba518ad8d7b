import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { editDistance, nearest } from '../../src/schema/nearest.ts';

const steps = ['transform', 'set', 'convert', 'call', 'send', 'respond', 'switch', 'forEach', 'wireTap', 'fail', 'log'];

describe('the nearest name', () => {
  for (const [word, meant] of [
    ['cal', 'call'],
    ['respnd', 'respond'],
    ['repsond', 'respond'],
    ['foreach', 'forEach'],
    ['for-each', 'forEach'],
    ['wire_tap', 'wireTap'],
    ['SEND', 'send'],
    ['tranform', 'transform'],
    ['lgo', 'log'],
    ['teleport', undefined],
    ['x', undefined],
    ['', undefined],
    ['--', undefined],
    ['respondrespondrespond', undefined],
  ] as const) {
    test(`of \`${word}\` is ${meant ?? 'none'}`, () => assert.equal(nearest(word, steps), meant));
  }

  test('is the first of equally near ones, and an exact one before all', () => {
    assert.equal(nearest('cat', ['bat', 'hat']), 'bat');
    assert.equal(nearest('hat', ['bat', 'hat']), 'hat');
  });

  test('of a word without end is not looked for', () => {
    assert.equal(nearest('a'.repeat(100_000), ['a'.repeat(99_999)]), undefined);
  });
});

test('swapped neighbours are one edit', () => {
  assert.deepEqual(
    [editDistance('ab', 'ba'), editDistance('abc', 'abd'), editDistance('', 'abc'), editDistance('a', 'a')],
    [1, 1, 3, 0],
  );
});
