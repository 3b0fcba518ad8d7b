import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import v8 from 'node:v8';
import { LimitReached } from '../../src/expression/limits.ts';
import { GuardedRegExp } from '../../src/expression/regex.ts';
import { watched } from '../../src/expression/watchdog.ts';

before(() => v8.setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks'));

/** All matches with their places, as the interpreter goes through them. */
function matches(regex: { lastIndex: number; exec(text: string): RegExpExecArray | null }, text: string): unknown[] {
  const found: unknown[] = [];
  for (let match = regex.exec(text); match && found.length < 5000; match = regex.exec(text)) {
    found.push([match.index, ...match, regex.lastIndex]);
    if (match[0] === '') break;
  }
  return found;
}

const text = 'The Quick brown fox jumps over the lazy dog, the end of the line: aa, aaa, aaaa; 12-34-56 ';
const patterns = [
  /the/g,
  /THE/gi,
  /(\w+)-(\w+)/g,
  /a{2,3}/g,
  /(a)\1/g,
  /\b(?=q)\w+/gi,
  /x*/g,
  /^$/g,
  /[aeiou]+?[^a-z]/g,
];

for (const pattern of patterns) {
  for (const [what, given] of [
    ['a short text', text],
    ['a long text', text.repeat(1000)],
    ['no text', ''],
  ] as const) {
    test(`${pattern} finds in ${what} what the engine finds`, () => {
      assert.deepEqual(matches(new GuardedRegExp(pattern), given), matches(new RegExp(pattern), given));
    });
  }
}

test('one pattern serves one text after the other', () => {
  const guarded = new GuardedRegExp(/a{2}/g);
  for (const given of [text, 'baab'.repeat(10), text]) {
    guarded.lastIndex = 0;
    assert.deepEqual(matches(guarded, given), matches(/a{2}/g, given));
  }
});

test('a pattern that takes too long is stopped, and the next one is not touched by it', () => {
  assert.throws(() => new GuardedRegExp(/^(a+)+$/gi).exec(`${'a'.repeat(60)}!`), LimitReached);
  assert.equal(new GuardedRegExp(/^(a+)+$/gi).exec('a'.repeat(60))?.[0]?.length, 60);
});

test('the watchdog passes results and errors on', () => {
  assert.equal(
    watched(() => 7),
    7,
  );
  const error = new Error('mine');
  assert.throws(
    () =>
      watched(() => {
        throw error;
      }),
    error,
  );
  assert.throws(
    () =>
      watched(() => {
        for (;;);
      }, 5),
    /needed more than 5 ms/,
  );
});
