import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { compareBytes } from '../../src/store/byte-order.ts';
import { between, pick } from '../support/commands.ts';

test('texts are ordered as their UTF-8 bytes are', () => {
  const random = seededRandom(1);
  const letters = [
    'a',
    'b',
    '\x7f',
    '\x80',
    '\u07ff',
    '\u0800',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{10000}',
    '\u{10ffff}',
  ];
  const word = (): string => Array.from({ length: between(random, 0, 4) }, () => pick(random, letters)).join('');
  for (let i = 0; i < 20_000; i++) {
    const [a, b] = [word(), word()];
    const expected = Buffer.compare(Buffer.from(a), Buffer.from(b));
    assert.equal(Math.sign(compareBytes(a, b)), expected, JSON.stringify([a, b]));
  }
});
