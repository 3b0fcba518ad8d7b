import assert from 'node:assert/strict';
import { test } from 'node:test';
import jsonata from 'jsonata';
import { evaluate } from './support.ts';

/** What the library itself yields, as plain JSON; its errors by their code. */
async function original(source: string, body: unknown): Promise<unknown> {
  try {
    const value: unknown = await jsonata(source).evaluate(structuredClone(body));
    return { value: value === undefined ? undefined : JSON.parse(JSON.stringify(value)) };
  } catch {
    return 'an error';
  }
}

async function ours(source: string, body: unknown): Promise<unknown> {
  try {
    return { value: await evaluate(source, body) };
  } catch {
    return 'an error';
  }
}

const body = {
  text: 'The quick brown fox, the lazy dog, the end',
  emoji: 'a😀b😀c',
  numbers: [5, 3, 9, 1, 3],
  one: [7],
  empty: [],
  words: ['pear', 'apple', 'fig', 'apple'],
  mixed: [1, 'a', null, true, { a: 1 }, [1], { a: 1 }, 1, '1'],
  items: [
    { sku: 'tea', price: 3.5, tags: ['x', 'y'] },
    { sku: 'cup', price: 7, tags: [] },
    { sku: 'pot', price: 3.5 },
  ],
  object: { b: 2, a: 1, n: { x: null } },
};

// Each function that has an implementation of its own here, and the patterns that run under guard.
const sources = [
  ...['numbers', 'words', 'one', 'empty', 'missing', 'mixed', 'items', 'text', 'object', 'items.price'].flatMap(
    (name) => [
      `$max(${name})`,
      `$min(${name})`,
      `$sort(${name})`,
      `$sort(${name}, function($l, $r){ $string($l) > $string($r) })`,
      `$distinct(${name})`,
      `$spread(${name})`,
      `$join(${name})`,
      `$join(${name}, "-")`,
      `$length(${name})`,
      `$count(${name})`,
      `${name} ~> $sort`,
    ],
  ),
  'items^(price)',
  'items^(>price, sku).sku',
  'items^(<sku)[0]',
  '$sort(items, function($l, $r){ $l.price > $r.price }).sku',
  '$split(text, " ")',
  '$split(text, " ", 3)',
  '$split(text, /[ ,]+/)',
  '$split(text, /[ ,]+/, 2)',
  '$split(text, "", 4)',
  '$split(text, /x/, -1)',
  '$split(missing, ",")',
  '$match(text, /the/i)',
  '$match(text, /(t)(h)e/, 1)',
  '$match(text, /q(u)?(x)?/)',
  '$match(text, /the/, 0)',
  '$match(text, /none/)',
  '$contains(text, /fox/)',
  '$contains(text, "fox")',
  '$replace(text, "the", "THE")',
  '$replace(text, "the", "THE", 1)',
  '$replace(text, /(the) (\\w+)/, "$2 $1")',
  '$replace(text, /(the) (\\w+)/, "$0$$x$9")',
  '$replace(text, /the/, function($m){ $uppercase($m.match) & $m.index })',
  '$replace(text, /the/, function($m){ 1 })',
  '$replace(text, "", "x")',
  '$replace(text, /the/, "x", -1)',
  '$replace("265USD", /([0-9]+)USD/, "$$$1")',
  '$replace("abcdefghijklmno", /(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)/, "$11-$10-$1")',
  '$pad("foo", 8)',
  '$pad("foo", -8)',
  '$pad("foo", 8, "ab")',
  '$pad("foo", -8, "ab")',
  '$pad("foo", 2)',
  '$pad(emoji, 8, "😀")',
  '$pad("foo", 8.7, "")',
  ...[-10, -3, -2, -1, 0, 0.5, 1, 2.9, 4, 9].flatMap((start) => [
    `$substring(emoji, ${start})`,
    ...[-1, 0, 1, 1.5, 2, 9].map((count) => `$substring(emoji, ${start}, ${count})`),
  ]),
  '$length(emoji)',
  '$toMillis("2018-03-27", "[Y0001]-[M01]-[D01]")',
  '$toMillis("x", "[Y0001]-[M01]-[D01]")',
  '$toMillis("2018-03-27T10:00:00Z")',
  '$parseInteger("twelve", "w")',
  '$parseInteger("1,234", "#,##0")',
  '$fromMillis(1510067557121)',
  '$fromMillis(1510067557121, "[D1o] [MNn] [Y]")',
  '$clone(object)',
  '$ ~> |object|{ "c": 3 }, "a"|',
  '$ ~> |items|{ "price": price * 2 }|',
  '$each(object, function($v, $k){ $k })',
  '$keys(items)',
  '$lookup(items, "sku")',
  '$sift(object, function($v){ $v = 1 })',
  '$map(items, function($i, $n){ $i.sku & $n })',
  '$filter(items, function($i){ $i.price > 5 }).sku',
  '$reduce(numbers, function($a, $b){ $a + $b }, 100)',
  '$zip(numbers, words)',
  '$append(one, words)',
  '$reverse(words)',
  '$single(items, function($i){ $i.sku = "cup" }).price',
  'items{ sku: price }',
  'items{ $string(price): sku }',
  'items{ $string(price): sku[] }',
  '**.price',
  'object.*',
  'items.tags',
  'items.tags[0]',
  '(items.tags)[0]',
  'items[tags]',
  'items#$n.{ "n": $n, "s": sku }',
  'items@$i.tags.{ "i": $i.sku }',
  'items.tags.%.sku',
  '[1..5][$ % 2 = 1]',
  '$string(object, true)',
  '$formatNumber(1234.5, "#,##0.00")',
  '$formatBase(255, 16)',
  '$formatInteger(12, "w")',
  '$base64decode($base64encode("a😀"))',
  '$encodeUrlComponent("a b/ü")',
  '$number("0x1F")',
  '$number("12e3")',
  '$type(object)',
  '$assert(true, "x")',
  'words ~> $map($uppercase) ~> $join(",")',
  '($f := $substring(?, 0, 2); words.$f($))',
  '($inc := function($n){ $n + 1 }; numbers ~> $map($inc))',
  '($fact := function($n){ $n <= 1 ? 1 : $n * $fact($n - 1) }; $fact(10))',
  'numbers[0] ~> function($x){ $x * 2 }',
  'text ~> /quick/',
  '$.missing ~> $uppercase()',
  'object.n.x',
  'words = ["pear", "apple", "fig", "apple"]',
  'object = { "a": 1, "b": 2, "n": { "x": null } }',
];

for (const source of sources) {
  test(`${source} is what JSONata says`, async () => {
    assert.deepEqual(await ours(source, body), await original(source, body));
  });
}
