import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import v8 from 'node:v8';
import { limits, Meter } from '../../src/expression/limits.ts';
import { evaluate, failureOf } from './support.ts';

// As the launcher does.
before(() => v8.setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks'));

/** The longest time for which the event loop took no turn while `work` went on. */
async function longestPause(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  let going = true;
  const turn = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (going) setImmediate(turn);
  };
  setImmediate(turn);
  try {
    await work();
    await new Promise((resolve) => setImmediate(resolve));
    return longest;
  } finally {
    going = false;
  }
}

const many = (count: number, item: (index: number) => unknown): unknown[] =>
  Array.from({ length: count }, (_, i) => item(i));
const aaa = `${'a'.repeat(60)}!`;

function nested(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = wrap(value);
  return value;
}

const runaways: readonly {
  readonly what: string;
  readonly source: string;
  readonly body?: unknown;
  readonly says: RegExp;
}[] = [
  {
    what: 'endless recursion',
    source: '($f := function($x){ 1 + $f($x) }; $f(1))',
    says: /nested more than 20000 deep|ran for more than 1000 ms/,
  },
  {
    what: 'endless recursion that doubles',
    source: '($f := function($x){[$f($x), $f($x)]}; $f(1))',
    says: /nested more than 20000 deep|ran for more than 1000 ms/,
  },
  { what: 'endless tail recursion', source: '($f := function($x){ $f($x + 1) }; $f(1))', says: /more than 1000 ms/ },
  { what: 'padding to 100 MB', source: '$pad("", 100000000, "x")', says: /text grew over 10000000/ },
  { what: 'padding to the left', source: '$pad(a, -100000000)', body: { a: 'b' }, says: /text grew over 10000000/ },
  {
    what: 'doubling a text again and again',
    source: '($s := function($t, $n){ $n = 0 ? $t : $s($t & $t, $n - 1) }; $s("abc", 60))',
    says: /text grew over 10000000/,
  },
  {
    what: 'replacing each of many by much',
    source: '$replace(a, "a", b)',
    body: { a: 'a'.repeat(100_000), b: 'b'.repeat(10_000) },
    says: /text grew over 10000000/,
  },
  {
    what: 'making a long text upper case for each entry',
    source: 'items[$uppercase($$.text) = "Y"]',
    body: { text: 'x'.repeat(1_000_000), items: many(100_000, (i) => i) },
    says: /built more than 100000000 characters/,
  },
  { what: 'a huge range', source: '$count([1..10000000])', says: /list grew over 1000000 entries/ },
  { what: 'a range for each of a range', source: '[1..1000000].[1..1000]', says: /more than 10000000 list entries/ },
  {
    what: 'a function over a huge list',
    source: '$map([1..1000000], function($x){ $x * 2 })',
    says: /more than 1000 ms/,
  },
  {
    what: 'an order-by of a long list',
    source: 'list^(a)',
    body: { list: many(20_000, (i) => ({ a: (i * 7919) % 20_000 })) },
    says: /more than 100000 comparisons; use \$sort|more than 1000 ms/,
  },
  {
    what: 'looking for each of many in many',
    source: 'items[$ in $$.items]',
    body: { items: many(200_000, (i) => i) },
    says: /more than 1000 ms/,
  },
  {
    what: 'a grouping with a hundred thousand keys',
    source: 'list{ $string(a): $sum(b) }',
    body: { list: many(100_000, (i) => ({ a: i, b: 1 })) },
    says: /a grouping have as many keys|more than 1000 ms/,
  },
  {
    what: 'a value nested too deeply to be written',
    source: '$string(a)',
    body: { a: nested(100_000, (inner) => [inner]) },
    says: /nested too deeply/,
  },
  {
    what: 'a search through a value nested too deeply',
    source: '**.x',
    body: nested(100_000, (inner) => ({ a: inner })),
    says: /nested too deeply/,
  },
  {
    what: 'a catastrophic pattern that ignores case',
    source: '$match(a, /(a+)+$/i)',
    body: { a: aaa },
    says: /a pattern needed more/,
  },
  {
    what: 'one that looks ahead',
    source: '$contains(a, /^(?=(a+)+$)b/)',
    body: { a: aaa },
    says: /a pattern needed more/,
  },
  { what: 'one that replaces', source: '$replace(a, /(a+)+$/i, "x")', body: { a: aaa }, says: /a pattern needed more/ },
  { what: 'one that splits', source: '$split(a, /(a|aa)+$/i)', body: { a: aaa }, says: /a pattern needed more/ },
];

for (const { what, source, body, says } of runaways) {
  test(`${what} is one error, and others have their turn`, async () => {
    const pause = await longestPause(async () => {
      const error = await failureOf(source, body);
      assert.equal(error.code, 'expression-limit');
      assert.match(error.message, says);
    });
    // Not a measurement: a machine under load is slow, but a runaway that is not stopped takes minutes or for ever.
    assert.ok(pause < 10 * limits.timeMs, `${pause} ms without a turn`);
    assert.equal(await evaluate('1 + $', 1), 2);
  });
}

test('a pattern that repeats a repetition runs in linear time', async () => {
  assert.equal(await evaluate('$match(a, /(a+)+$/)', { a: aaa }), undefined);
  assert.deepEqual(await evaluate('$match(a, /(a+)+!$/).index', { a: aaa }), 0);
});

test('a runaway stops while quick evaluations beside it go on', async () => {
  let running = true;
  const runaway = failureOf('($f := function($x){ $f($x + 1) }; $f(1))').finally(() => {
    running = false;
  });
  let others = 0;
  while (running) {
    assert.equal(await evaluate('$sum($map([1..5], function($x){ $x }))'), 15);
    others += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await runaway).code, 'expression-limit');
  assert.ok(others > 1, `${others} other evaluations`);
});

test('fifty long evaluations at once all come to their end', async () => {
  const results = await Promise.all(many(50, (i) => evaluate(`$sum($map([1..200], function($x){ $x + ${i} }))`)));
  assert.deepEqual(
    results,
    many(50, (i) => 20_100 + 200 * i),
  );
});

test('large but reasonable work is done', async () => {
  const list = many(1_000, (i) => ({ sku: `s${i % 100}`, price: i }));
  assert.equal(await evaluate('$sum(list.price)', { list }), 499_500);
  assert.equal(await evaluate('$count($distinct(list.sku))', { list }), 100);
  assert.equal(await evaluate('$count($keys(list{ sku: $sum(price) }))', { list }), 100);
  assert.equal(await evaluate('$sort(list.price)[-1]', { list }), 999);
  assert.equal(await evaluate('list^(>price)[0].price', { list }), 999);
  assert.equal(await evaluate('$length($join(list.sku, ","))', { list }), 3_899);
});

test('an order-by may compare a hundred thousand times', () => {
  const meter = new Meter();
  for (let count = 0; count < 2 * limits.comparisons; count += 1) meter.compared(); // each compares two terms
  assert.throws(() => meter.compared(), /more than 100000 comparisons; use \$sort/);
});
