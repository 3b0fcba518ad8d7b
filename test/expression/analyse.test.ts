import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileExpression } from '../../src/expression/expression.ts';

const variablesOf = (source: string): readonly (readonly [string, number])[] => [
  ...compileExpression(source).variables,
];

const needs: readonly (readonly [source: string, variables: readonly (readonly [string, number])[]])[] = [
  ['$found.stock', [['found', 0]]],
  [
    'a + $x.b + $y + $x',
    [
      ['x', 4],
      ['y', 11],
    ],
  ],
  ['$sum(items.price)', []],
  ['$map(items, function($i, $n){ $i.price * $n + $rate })', [['rate', 46]]],
  [
    '($y := $x; $y + $z)',
    [
      ['x', 7],
      ['z', 16],
    ],
  ],
  ['($a; $a := 1; $a)', [['a', 1]]],
  ['($f := function(){ $later }; $later := 1; $f())', []],
  ['(($inner := 1); $inner)', [['inner', 16]]],
  ['items@$i.tags#$n.{ "i": $i, "n": $n, "x": $x }', [['x', 42]]],
  ['items[$limit > price]', [['limit', 6]]],
  ['items{ $key: price }', [['key', 7]]],
  ['items^($by)', [['by', 7]]],
  [
    '$ ~> |items|{ "n": $n }, $drop|',
    [
      ['n', 19],
      ['drop', 25],
    ],
  ],
  ['function($x){ $x + $y }', [['y', 19]]],
  ['$noSuchFunction(1)', [['noSuchFunction', 0]]],
  [
    '$a ? $b : $c',
    [
      ['a', 0],
      ['b', 5],
      ['c', 10],
    ],
  ],
  [
    '{ $k: $v }',
    [
      ['k', 2],
      ['v', 6],
    ],
  ],
  ['$$ & $', []],
];

for (const [source, variables] of needs) {
  test(`what ${source} needs from outside`, () => assert.deepEqual(variablesOf(source), variables));
}

const bodiless = [
  '1 + 1',
  '"text"',
  '$now()',
  '$headers.host',
  '$headers.`content-type` = "a"',
  '$found.items[price > 1].sku',
  '$found.items.{ "sku": sku }',
  '$string($found)',
  '$map($found, function($x){ $x.a })',
  '$found.($uppercase(name))',
  '($x := $found; $x.a)',
  '$found ~> $sum',
  '$found ~> $string()',
  '$contains($found, "x")',
  '[1..3].($ * 2)',
  '$found{ sku: price }',
  '$found^(price)',
  '$found ~> |items|{ "x": y }|',
  '$exists($query.id) ? $query.id : $uuid()',
  '"a" ~> $substringBefore("b")',
];

const looking = [
  'a',
  '`odd name`',
  '$',
  '$$',
  '*',
  '**',
  '$.a',
  '$found.a & b',
  '$found[sku = $$.sku]',
  '$string()',
  '$uppercase()',
  '$length() > 1',
  '$substringBefore("b")',
  '$contains("x")',
  '$split(",")',
  '$match(/x/)',
  '$map([1], function(){ $$ })',
  '{ "a": b }',
  '[a]',
  '(a)',
  '-a',
  '$not(a)',
  '$found ? a : 1',
  '$x.($$.a)',
  'function(){ a }',
  '$now(a)',
];

for (const source of bodiless) {
  test(`${source} looks at no body`, () => assert.equal(compileExpression(source).looksAtBody, false));
}
for (const source of looking) {
  test(`${source} looks at the body`, () => assert.equal(compileExpression(source).looksAtBody, true));
}

test('a pattern that can only backtrack is warned about, where it stands', () => {
  const [warning, ...others] = compileExpression('$contains(a, /^(?=b)+c/)').warnings;
  assert.equal(others.length, 0);
  assert.equal(warning?.offset, 13);
  assert.match(warning?.message ?? '', /cannot run in linear time because it looks ahead or behind/);
  assert.match(compileExpression('a ~> /(x)\\1+/').warnings[0]?.message ?? '', /refers back to a group/);
  assert.deepEqual(compileExpression('$match(a, /(a+)+[(?=x)]/)').warnings, []);
});
