import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileExpression, functionNames } from '../../src/expression/expression.ts';
import { Segments } from '../../src/expression/segments.ts';
import { evaluate, failureOf, scopeOf, syntaxErrorOf } from './support.ts';

/** As JSON.parse makes it: a key of its own called `__proto__`. */
const parsed = (text: string): unknown => JSON.parse(text);

test('the body is `$`, and its fields are names', async () => {
  assert.equal(await evaluate('quantity * 2', { quantity: 3 }), 6);
  assert.deepEqual(await evaluate('$', [1, 2]), [1, 2]);
  assert.equal(await evaluate('missing.field', {}), undefined);
});

test('variables come from the message', async () => {
  assert.equal(await evaluate('$found.stock - quantity', { quantity: 1 }, { found: { stock: 4 } }), 3);
  assert.equal(await evaluate('$map([1, 2], function($i){ $i + $found })[1]', {}, { found: 40 }), 42);
});

test('an expression that looks at no body never asks for it', async () => {
  const scope = { ...scopeOf(undefined, { headers: { host: 'h' } }), body: () => assert.fail('asked') };
  for (const source of ['$headers.host', '$uppercase($headers.host) != ""', '$map([1], function($x){ $x + 1 })']) {
    const expression = compileExpression(source);
    assert.equal(expression.looksAtBody, false);
    assert.notEqual(await expression.evaluate(scope), undefined);
  }
});

test('a body that has not arrived is waited for, and one that cannot be read is the failure it was', async () => {
  const late = { ...scopeOf(undefined), body: async () => ({ a: 1 }) };
  assert.equal(await compileExpression('a + 1').evaluate(late), 2);
  assert.equal(await compileExpression('$map([a], function($x){ $x })[0]').evaluate(late), 1);
  const broken = new Error('broken');
  const failing = { ...scopeOf(undefined), body: () => Promise.reject(broken) };
  await assert.rejects(async () => compileExpression('a').evaluate(failing), broken);
});

test('what can be computed at once needs no promise', () => {
  assert.equal(compileExpression('a.b & "!"').evaluate(scopeOf({ a: { b: 'x' } })), 'x!');
});

test('time and chance come from the message, and one evaluation is one moment', async () => {
  let asked = 0;
  const scope = { ...scopeOf({}), now: () => 1_700_000_000_123 + 1000 * asked++ };
  for (const source of ['[$millis(), $millis()]', '$map([1, 2], function(){ $millis() })']) {
    asked = 0;
    assert.deepEqual(await compileExpression(source).evaluate(scope), [1_700_000_000_123, 1_700_000_000_123]);
  }
  assert.equal(await evaluate('$now()'), '2023-11-14T22:13:20.123Z');
  assert.equal(await evaluate('$now("[Y0001]/[M01]/[D01]")'), '2023/11/14');
  assert.equal(await evaluate('$now("[H01]:[m01] [z]", "+0200")'), '00:13 GMT+02:00');
  assert.equal(await evaluate('$uuid()'), 'f81d4fae-7dec-41d0-a765-00a0c91e6bf6');
  assert.equal(await evaluate('$map([1], function(){ $uuid() })[0]'), 'f81d4fae-7dec-41d0-a765-00a0c91e6bf6');
  assert.equal(await evaluate('$random()'), 0.25);
  assert.deepEqual(await evaluate('$shuffle([1, 2, 3, 4])'), [4, 3, 1, 2]);
});

test('$eval does not exist, whatever it hides behind', () => {
  for (const source of ['$eval("1")', '$map(["1"], $eval)', '("1" ~> $eval)']) {
    assert.match(syntaxErrorOf(source).message, /\$eval does not exist here/);
  }
  assert.equal(syntaxErrorOf('1 + $eval("1")').offset, 4);
  assert.equal(functionNames.has('eval'), false);
});

test('a name of its own may be called like nothing else, also eval', async () => {
  assert.equal(await evaluate('($eval := function($x){ $x + 1 }; $eval(1))'), 2);
});

test('results are ordinary objects and lists without anything hidden', async () => {
  const body = { items: [{ sku: 'tea', n: 1 }], tags: ['a', 'b'] };
  const sources = [
    'items.{ "sku": sku }',
    'items.sku[]',
    'tags[]',
    '$map(tags, function($t){ { "t": $t } })',
    '$merge([items[0], { "x": { "y": 1 } }])',
    '$spread({ "a": 1, "b": 2 })',
    '$each({ "a": 1, "b": 2 }, function($v, $k){ [$k, $v] })',
    'items{ sku: n }',
    '{ "list": [items.n], "inner": { "of": tags } }',
    '$ ~> |items|{ "n": 2 }|',
    '$match("ab", /(a)(b)/)',
  ];
  const check = (value: unknown, where: string): void => {
    if (typeof value !== 'object' || value === null) return;
    assert.equal(Object.getPrototypeOf(value), Array.isArray(value) ? Array.prototype : Object.prototype, where);
    const own = Object.getOwnPropertyNames(value).filter((name) => !(Array.isArray(value) && name === 'length'));
    assert.deepEqual(own, Object.keys(value), where);
    for (const [key, part] of Object.entries(value)) {
      assert.equal(Array.isArray(value) ? String(Number(key)) : key, key, where);
      check(part, `${where} ${key}`);
    }
  };
  for (const source of sources) {
    const value = await evaluate(source, body);
    assert.equal(typeof value, 'object', source);
    check(value, source);
  }
});

test('a function is no result', async () => {
  for (const source of ['$sum', 'function($x){ $x }', '[$sum]', '{ "f": $sum }', '$substring(?, 1)']) {
    const error = await failureOf(source);
    assert.equal(error.code, 'expression');
    assert.match(error.message, /it yields a function, not a value/);
  }
});

test('a number out of range is no result', async () => {
  for (const source of ['1/0', 'a / 0', '[1e308 * 10]', '{ "x": a / 0 }']) {
    const error = await failureOf(source, { a: 1 });
    assert.equal(error.code, 'expression');
    assert.match(error.message, /number is out of range/);
  }
});

test('evaluating never changes what it was given', async () => {
  const body = parsed('{ "list": [3, 1, 2], "one": [{ "a": 1 }], "o": { "x": { "y": 1 } } }');
  const before = structuredClone(body);
  const sources = [
    '$sort(list)',
    '$reverse(list)',
    '$append(list, 4)',
    'one[]',
    '$ ~> |o|{ "x": 2 }, "y"|',
    'list{ "k": $ }',
    'one{ $string(a): $ }',
    '$merge([o, { "z": 1 }])',
    '$found ~> |x|{ "y": 2 }|',
    'o()',
    '($f := o; $f(1))',
  ];
  for (const source of sources) await evaluate(source, body, { found: (body as { o: unknown }).o }).catch(() => 0);
  assert.deepEqual(body, before);
  assert.deepEqual(Object.getOwnPropertyNames((body as { one: unknown }).one), ['0', 'length']);
});

test('`__proto__` is a key like any other and reaches no prototype', async () => {
  const body = parsed('{ "__proto__": { "polluted": 1 }, "a": { "constructor": 2 }, "items": [{ "__proto__": 5 }] }');
  assert.deepEqual(await evaluate('$.`__proto__`.polluted', body), 1);
  assert.equal(await evaluate('a.constructor', body), 2);
  assert.equal(await evaluate('a.toString', body), undefined);
  assert.equal(await evaluate('a.`__proto__`', body), undefined);
  assert.equal(await evaluate('"x".constructor', body), undefined);
  assert.deepEqual(await evaluate('items.`__proto__`', body), 5);
  assert.equal(JSON.stringify(await evaluate('$', body)), JSON.stringify(body));
  assert.equal(
    JSON.stringify(await evaluate('$merge([$, { "b": 1 }])', body)),
    JSON.stringify({ ...(body as object), b: 1 }),
  );
  assert.equal(JSON.stringify(await evaluate('{ "__proto__": 1, "x": 2 }')), '{"__proto__":1,"x":2}');
  assert.equal(
    JSON.stringify(await evaluate('{ $k: { "polluted": 1 } }', {}, { k: '__proto__' })),
    '{"__proto__":{"polluted":1}}',
  );
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

test('what needs nothing from the message is computed once, when it is compiled', async () => {
  const expression = compileExpression('{ "sum": 1 + 2, "list": ["a", "b"] }');
  assert.deepEqual(expression.constant, { value: { sum: 3, list: ['a', 'b'] } });
  const scope = scopeOf({});
  assert.equal(expression.evaluate(scope), expression.evaluate(scope));
  for (const source of ['$now()', '$uuid()', '$random()', '$millis()', 'a', '$headers', '1/0', '$sum([1, "a"])']) {
    assert.equal(compileExpression(source).constant, undefined, source);
  }
});

test('what fails without looking at the message fails for each message, not when it is compiled', async () => {
  assert.equal((await failureOf('1 + "a"')).code, 'expression');
  assert.equal((await failureOf('$assert(false, "no")')).code, 'expression');
});

test('the result of the compiled form does not change when it gives up now and then', async () => {
  const expression = compileExpression('items[kind = $kind].price');
  const plain = {
    items: [
      { kind: 'a', price: 1 },
      { kind: 'b', price: 2 },
    ],
  };
  const odd = {
    items: [
      { kind: { x: 1 }, price: 1 },
      { kind: { x: 2 }, price: 2 },
    ],
  }; // deep equality: the interpreter's
  for (let round = 0; round < 200; round += 1) {
    const [body, kind, price] = round % 5 === 0 ? [plain, 'b', 2] : [odd, { x: 1 }, 1];
    assert.equal(await expression.evaluate(scopeOf(body, { kind })), price);
  }
});

test('$segments yields a text that knows that its slashes separate', async () => {
  const value = await evaluate('$segments(path)', { path: 'a/b' });
  assert.ok(value instanceof Segments);
  assert.equal(value.text, 'a/b');
  assert.equal(JSON.stringify({ value }), '{"value":"a/b"}');
  assert.equal(await evaluate('$segments(path)', {}), undefined);
  assert.match(syntaxErrorOf('$uppercase($segments(path))').message, /must be the outermost call of its hole/);
  assert.match(syntaxErrorOf('{ "p": $segments(path) }').message, /must be the outermost call of its hole/);
});

test('whole numbers beyond 2^53 arrive as text and are never counted with by accident', async () => {
  // src/format/json.ts reads such a number as its digits.
  const body = { id: '12345678901234567890' };
  assert.equal(await evaluate('id', body), '12345678901234567890');
  assert.equal(await evaluate('"order-" & id', body), 'order-12345678901234567890');
  assert.match((await failureOf('id + 1', body)).message, /left side of `\+` must be a number, not text/);
});
