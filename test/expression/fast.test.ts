import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { compileExpression } from '../../src/expression/expression.ts';
import { compileFast } from '../../src/expression/fast.ts';
import { Frame, type Run } from '../../src/expression/fast-frame.ts';
import type { Program } from '../../src/expression/jsonata.ts';
import { parse } from '../../src/expression/jsonata.ts';
import { clone } from '../../src/expression/list-functions.ts';
import { normalise } from '../../src/expression/normalise.ts';
import { bail } from '../../src/expression/plain.ts';
import { Generator } from './expression-generator.ts';
import { evaluate, scopeOf } from './support.ts';

const chance = { now: () => 1_700_000_000_123, random: () => 0.25, uuid: () => 'f81d4fae' };

type Outcome = { readonly value: unknown } | { readonly error: unknown };

function runFast(run: Run, body: unknown, given: Readonly<Record<string, unknown>>): Outcome | 'gave up' {
  try {
    return { value: run(new Frame(body, { variable: (name) => given[name] }, () => chance), body) };
  } catch (error) {
    if (error === bail) return 'gave up';
    throw error;
  }
}

async function interpreted(
  program: Program,
  body: unknown,
  given: Readonly<Record<string, unknown>>,
): Promise<Outcome> {
  try {
    // Copies: the interpreter marks and extends lists that it was given.
    const copies = clone(given) as Record<string, unknown>;
    return { value: normalise(await program.interpret(clone(body), copies, chance)) };
  } catch (error) {
    return { error };
  }
}

/** The number of inputs on which the compiled form answered. */
async function compare(source: string, inputs: readonly { body: unknown; given: Record<string, unknown> }[]) {
  const program = parse(source);
  const run = compileFast(program.ast);
  if (!run) return { compiled: false, answers: 0 };
  let answers = 0;
  for (const { body, given } of inputs) {
    const fast = runFast(run, body, given);
    if (fast === 'gave up') continue;
    answers += 1;
    const slow = await interpreted(program, body, given);
    assert.deepEqual<unknown>(fast, slow, `${source}\non ${JSON.stringify({ body, given })}`);
    if ('value' in fast && 'value' in slow) {
      assert.equal(JSON.stringify(fast.value), JSON.stringify(slow.value), `order of keys of ${source}`);
    }
  }
  return { compiled: true, answers };
}

function inputs(generator: Generator, count: number) {
  return Array.from({ length: count }, () => ({
    body: generator.random() < 0.85 ? generator.object(3) : generator.value(3),
    given: { v: generator.value(2), list: [1, 2, 3].map(() => generator.object(1)) },
  }));
}

test('the compiled form answers exactly as the interpreter on random expressions and inputs', async () => {
  const seed = Number(process.env.DOWEL_SEED ?? 20_250_101);
  const count = Number(process.env.DOWEL_EXPRESSIONS ?? 1_500);
  const generator = new Generator(seed);
  let compiled = 0;
  let answers = 0;
  for (let round = 0; round < count; round += 1) {
    const source = generator.expression(1 + Math.floor(generator.random() * 3));
    const result = await compare(source, inputs(generator, 6));
    compiled += result.compiled ? 1 : 0;
    answers += result.answers;
  }
  assert.ok(compiled > count * 0.6, `only ${compiled} of ${count} expressions were compiled`);
  assert.ok(answers > count, `only ${answers} answers were compared`);
});

const order = {
  orderId: 'A1',
  customer: { name: 'Ada', address: { city: 'London' } },
  items: [
    { sku: 'tea', quantity: 2, price: 3.1 },
    { sku: 'cup', quantity: 1, price: 7 },
  ],
  tags: ['a', 'b'],
  one: [{ sku: 'tea' }],
  none: [],
  nested: [[1, 2], [3]],
};

const handWritten = [
  'type = "x"',
  '$v.a = "a"',
  'items.{ "sku": sku, "qty": quantity }',
  'one.{ "sku": sku }',
  'one.{ "sku": sku }[]',
  'none.{ "sku": sku }',
  'missing.{ "sku": sku }',
  'customer.{ "n": name }',
  'items.price',
  'one.sku',
  'one.sku[]',
  'none',
  'one',
  'items[0]',
  'items[-1].sku',
  'items[quantity > 1].sku',
  'items[sku = "cup"]',
  'items[sku = "none"]',
  'items[price * quantity > 5].(sku)',
  '$sum(items.(price * quantity))',
  '$round($sum(items.(price * quantity)), 1)',
  '$merge([customer, { "id": orderId }])',
  'customer.address.{ "x": (tags[]) }.x',
  'items.(tags)',
  '$sum(items.price)',
  '$count(items)',
  '$count(none)',
  '$count(missing)',
  '$join(tags, ", ")',
  '$join(items.sku, "|")',
  'tags[0]',
  '$list[0].a',
  '$list.items.x',
  '$now()',
  '{ "at": $millis(), "id": $uuid(), "r": $random() }',
  '($total := $sum(items.price); { "total": $total, "big": $total > 5 })',
  'customer.address.city in ["Paris", "London"]',
  'orderId & "-" & items[0].quantity',
  '[items.sku, "more", [1, 2]]',
  '{ "2": 1, "1": 2, "a": 3 }',
  '{ "a": 1, "a": 2 }',
  '{ orderId: 1 }',
  'customer.name.$uppercase($)',
  '-items[0].price',
  '$.items.sku',
  '$$.customer.name',
  'nested',
  'nested[0]',
  'customer ? "yes" : "no"',
  'missing ?? "default"',
  'orderId ?: "none"',
  '0.1 + 0.2 & ""',
  '1/0',
  'missing[true][]',
  '(missing["x"][])',
  'customer.missing[($x := 1)]',
  '{ "quote \\" and \\\\ and ${c} and \\u2028": "`; throw 1; //" }',
  '`a"b`.`c\\d`',
  'customer.`constructor`',
  'customer.toString',
  '{ "constructor": orderId, "10": 1, "9": 2 }',
  '-0',
  '1 + -items[0].quantity',
];

for (const source of handWritten) {
  test(`the compiled form of ${source} agrees with the interpreter`, async () => {
    const generator = new Generator(7);
    const bodies = [order, [order, order], {}, [], null, 'text', 3, undefined].map((body) => ({ body, given: {} }));
    await compare(source, [...bodies, ...inputs(generator, 20)]);
  });
}

test('a text as deep as the parser takes is evaluated', async () => {
  const chain = (length: number) => Array.from({ length }, () => 'orderId').join(' & ');
  assert.equal(await evaluate(chain(800), order), 'A1'.repeat(800));
});

test('where a process makes no functions of texts, the interpreter answers', () => {
  const main = new URL('../../src/expression/expression.ts', import.meta.url);
  const program = `
    const { compileExpression } = await import(${JSON.stringify(main.href)});
    const scope = { body: () => ({ a: [1, 2] }), variable() {}, now: Date.now, random: Math.random, uuid: () => '' };
    console.log(JSON.stringify(await compileExpression('{ "sum": $sum(a) }').evaluate(scope)));`;
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', program];
  assert.equal(execFileSync(process.execPath, flags, { encoding: 'utf8' }), '{"sum":3}\n');
});

test('what is nested costs as much as it is long', { timeout: 30_000 }, async () => {
  let members = 'a';
  let bound = 'a';
  let chosen = 'a';
  for (let level = 0; level < 60; level += 1) {
    members = `(${members}).a`;
    bound = `($x := ${bound}; $x).a`;
    chosen = `(${chosen} ? a : b).a`;
  }
  let body: unknown = 'the end';
  for (let level = 0; level <= 60; level += 1) body = { a: body };
  assert.equal(await evaluate(members, body), 'the end');
  assert.equal(await evaluate(bound, body), 'the end');
  assert.equal(await evaluate(chosen, { a: { a: 1 } }), 1);
});

test('what all objects inherit is no field, whenever it came to be there', async (t) => {
  const expression = compileExpression('{ "admin": user.isAdmin, "direct": isAdmin, "each": users.isAdmin }');
  const body = { user: {}, users: [{}, {}] };
  assert.deepEqual(await expression.evaluate(scopeOf(body)), {});
  const { prototype } = Object;
  Object.defineProperty(prototype, 'isAdmin', { value: true, configurable: true });
  t.after(() => Reflect.deleteProperty(prototype, 'isAdmin'));
  assert.deepEqual(await expression.evaluate(scopeOf(body)), {});
  assert.deepEqual(await evaluate('user.isAdmin', { user: {} }), undefined);
});

test('what a value itself throws when it is read is the failure of the interpreter, or nothing', async () => {
  class Made {
    get a(): unknown {
      throw new Error('boom');
    }
  }
  assert.equal(await evaluate('o.a', { o: new Made() }), undefined);
});

test('where the stack has no room the interpreter goes on', async () => {
  const nested = `${'{ "a": '.repeat(400)}orderId${' }'.repeat(400)}`;
  const below = (frames: number): unknown => {
    const expression = compileExpression(`${nested}  ${' '.repeat(frames % 7)}`);
    const descend = (left: number): unknown =>
      left > 0 ? [descend(left - 1)][0] : expression.evaluate(scopeOf(order));
    return descend(frames);
  };
  for (const frames of [0, 1000, 3000, 6000]) {
    let value = await below(frames);
    for (let level = 0; level < 400; level += 1) value = (value as { a: unknown }).a;
    assert.equal(value, 'A1');
  }
});
