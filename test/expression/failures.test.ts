import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOf } from './support.ts';

const body = { secret: 'hunter2', list: ['hunter2', 1], object: { key: 'hunter2' }, no: null, yes: true };

const failing: readonly (readonly [source: string, message: RegExp])[] = [
  ['secret + 1', /left side of `\+` must be a number, not text/],
  ['1 - object', /right side of `-` must be a number, not an object/],
  ['-secret', /only a number can be negated, not text/],
  ['secret > 1', /`>` compares text with a number/],
  ['object < object', /`<` compares numbers or text, not an object/],
  ['[secret..2]', /left side of `\.\.` must be a whole number, not text/],
  ['[1..secret]', /right side of `\.\.` must be a whole number, not text/],
  ['[object, { "key": 1 }]^(key)', /the order-by compares (a number with text|text with a number)/],
  ['{ "a": 1, secret: 2, secret: 3 }', /two entries of an object have the same key/],
  ['{ yes: 1 }', /a key of an object must be text, not a boolean/],
  ['$number(secret)', /text cannot be turned into a number/],
  ['$sum(list)', /argument 1 of \$sum has entries of the wrong type/],
  ['$uppercase(object)', /argument 1 of \$uppercase has the wrong type: an object/],
  ['$sqrt(-1)', /\$sqrt needs a number that is not negative/],
  ['$power(10, 1000)', /\$power yields a number that is out of range/],
  ['$formatBase(1, 99)', /radix of \$formatBase must be between 2 and 36/],
  ['$toMillis(secret)', /\$toMillis needs an ISO 8601 timestamp/],
  ['$decodeUrlComponent("%")', /cannot be encoded as, or decoded from, a URL/],
  ['object()', /non-function/],
  ['$ ~> |object|$$.secret|', /update of `\|…\|` must be an object/],
  ['secret.(1/0)', /a number is out of range \(division by zero\?\)/],
];

for (const [source, message] of failing) {
  test(`${source} fails with a reason that shows no value`, async () => {
    const error = await failureOf(source, body);
    assert.equal(error.code, 'expression');
    assert.equal(error.kind, 'permanent');
    assert.match(error.message, message);
    assert.ok(
      !`${error.message}${JSON.stringify(error.facts)}${String(error.cause)}`.includes('hunter2'),
      error.message,
    );
  });
}

test('what the author says with $assert reaches the reader', async () => {
  assert.match(
    (await failureOf('$assert(quantity > 0, "nothing ordered")', { quantity: 0 })).message,
    /nothing ordered/,
  );
});

test('a long expression is shortened in its message', async () => {
  const { message } = await failureOf(`${'1 + '.repeat(500)}"a"`);
  assert.ok(message.length < 400, message);
  assert.match(message, /…/);
});
