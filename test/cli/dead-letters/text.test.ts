import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, harmless, oneLine, table } from '../../../src/cli/dead-letters/text.ts';

test('what would play tricks with a terminal is shown instead; lines and tabs stay', () => {
  assert.equal(
    harmless('a\u001b[31mb\u0007\u009bc\u202ed\r\n\te\rf'),
    'a\\u001b[31mb\\u0007\\u009bc\\u202ed\n\te\\u000df',
  );
  assert.equal(harmless('Grüße, 世界 🚀'), 'Grüße, 世界 🚀');
  assert.equal(oneLine('first\n  second\tthird'), 'first second third');
});

test('columns stand below each other, the last is as long as it is', () => {
  const rows = [
    ['ID', 'WHAT'],
    ['a', 'one thing'],
    ['bcd', ''],
  ];
  assert.equal(table(rows), 'ID   WHAT\na    one thing\nbcd\n');
});

test('how long ago it was, roughly', () => {
  const minute = 60_000;
  const cases = [
    [-5, '0 s ago'],
    [89_000, '89 s ago'],
    [5 * minute, '5 min ago'],
    [89 * minute, '89 min ago'],
    [5 * 60 * minute, '5 h ago'],
    [3 * 24 * 60 * minute, '3 d ago'],
  ] as const;
  for (const [ms, text] of cases) assert.equal(ago(ms), text);
});
