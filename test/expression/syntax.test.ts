import assert from 'node:assert/strict';
import { test } from 'node:test';
import { syntaxErrorOf } from './support.ts';

const mistakes: readonly (readonly [source: string, offset: number, message: string, suggestion?: string])[] = [
  ['', 0, 'The expression is empty'],
  ['  ', 0, 'The expression is empty'],
  ['a ==  b', 2, 'Write `=` instead of `==`', '='],
  ['a === b', 2, 'Write `=` instead of `===`', '='],
  ['a !== b', 2, 'Write `!=` instead of `!==`', '!='],
  ['a && b', 2, 'Write `and` instead of `&&`', 'and'],
  ['a || b', 2, 'Write `or` instead of `||`', 'or'],
  ['!a', 0, 'Write `$not(…)` instead of `!`', '$not(…)'],
  ['items.map(x => x)', 12, 'Write `function($x){ … }` instead of `=>`', 'function($x){ … }'],
  ['a +', 3, 'The expression ends where a value was expected'],
  ['true ? 1 : ', 10, 'The expression ends where a value was expected'],
  ['(a', 2, 'Expected `)` before the end of the expression'],
  ['items[', 6, 'Expected `]` before the end of the expression'],
  ['"abc', 0, 'This text has no closing quote'],
  ["a & 'x", 4, 'This text has no closing quote'],
  ['"a" & "it\\"s', 6, 'This text has no closing quote'],
  ['`a', 0, 'This name has no closing backquote'],
  ['1 + /* open', 4, 'This comment has no closing */'],
  ['a]', 1, 'Expected an operator or the end, got `]`'],
  ['{ "a" 1 }', 7, 'Expected `:`, got 1'],
  ['a b', 2, 'Expected an operator or the end, got `b`'],
  ['a;b', 1, 'Several expressions stand in parentheses: `( $x := 1; $x + 1 )`'],
  ['{ "a": 1 "b": 2 }', 9, 'Expected `}`, got `b`'],
  ['@', 0, 'What is looked at is `$`, and not `@`: this is JSONata, not JSONPath', '$'],
  ['a?.b', 2, '`?.` is not needed: what is not there yields nothing. Write `.`', '.'],
  ['a.1', 2, '1 cannot be a step of a path; quote it: `1`'],
  ['null.a', 0, 'null cannot be a step of a path; quote it: `null`'],
  ['a & %', 4, '% has no parent here'],
  ['$f := ', 5, 'The expression ends where a value was expected'],
  ['3 := 4', 1, 'The left side of := is a variable, such as $x'],
  ['function(x){1}', 9, 'The parameters of a function are variables, such as $x'],
  ['a #b', 4, 'After `#` comes a variable, such as $x'],
  ['"\\q"', 2, '\\q is not an escape; write \\\\ for a backslash'],
  ['"\\u12"', 2, 'After \\u come four hexadecimal digits'],
  ['1e999', 0, 'This number is out of range'],
  ['a{b:c}{d:e}', 7, 'A step can have only one grouping'],
  ['a ~> /b[c/', 5, 'This regular expression has no closing /'],
  ['a / /b', 4, 'This regular expression has no closing /'],
  ['.items | length', 0, 'A path is written without a dot in front of it: this is JSONata, not jq'],
  ['=name', 0, 'An expression is written without a `=` in front of it', ''],
  ['$..price', 1, '`..` is of JSONPath: everything below is `**`, as in `$.**.price`', '.**.'],
  ['items[?(@.price > 3)]', 6, 'A filter is written `[price > 3]`: this is JSONata, not JSONPath'],
  ['items[0:2]', 7, 'A part of a list is written `[[0..2]]`'],
  ['items[1..2]', 7, 'A part of a list is written `[[0..2]]`'],
  ['const a = 1; a', 6, 'A variable is bound by `( $a := …; … )`, in parentheses'],
  ['return a', 7, '`return` is not written: the last expression is the result', ''],
  ['if (a) b else c', 7, 'A choice is written `a ? b : c`'],
  ['a = 1 AND b = 2', 6, 'Write `and` instead of `AND`', 'and'],
  ['a is null', 2, 'Write `= null`, or `$not($exists(…))`', '= null'],
  ['a IS NOT NULL', 2, 'Write `!= null`, or `$exists(…)`', '!= null'],
  ["a like 'x'", 2, 'Write `$contains(…, /…/)`: text against a regular expression'],
  ['$match(a, /x/g)', 13, 'A regular expression takes the flags `i` and `m`; it finds every match as it is'],
  ['/order/item', 0, 'A path is written with dots: `order.item`. This is JSONata, not XPath', 'order.item'],
  ['//item/@id', 0, 'A path is written with dots: `**.item.`@id``. This is JSONata, not XPath', '**.item.`@id`'],
  ['# why\nname', 0, 'A comment is written `/* … */`'],
  ['//', 1, 'This regular expression is empty; a comment is written `/* … */`'],
  ['($clone := 1)', 1, '$clone cannot be bound: |…| relies on it'],
];

for (const [source, offset, message, suggestion] of mistakes) {
  test(`${JSON.stringify(source)} is refused at ${offset}`, () => {
    const error = syntaxErrorOf(source);
    assert.equal(error.message, message);
    assert.equal(error.offset, offset);
    assert.equal(error.suggestion, suggestion);
  });
}

test('a regular expression that is not one says why', () => {
  const error = syntaxErrorOf('$match(a, /b{2,1}/)');
  assert.match(error.message, /^This regular expression is not valid: .*numbers out of order/);
  assert.equal(error.offset, 10);
});

test('an expression nested without end is refused, not fatal', () => {
  assert.match(syntaxErrorOf(`${'('.repeat(200_000)}1`).message, /nested too deeply/);
});
