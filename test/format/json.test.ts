import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readJson, writeJson } from '../../src/format/json.ts';
import { charactersLookedAt, latin1, refuses, seeded, utf8, utf16be, utf16le } from './support.ts';

const read = (text: string): unknown => readJson(utf8(text));

test('a JSON text becomes its value', () => {
  assert.deepEqual(read(' {"a": [1, 2.5, "x", true, false, null, {}]} '), { a: [1, 2.5, 'x', true, false, null, {}] });
  assert.equal(read('"text"'), 'text');
  assert.equal(read('0'), 0);
  assert.equal(read('null'), null);
});

test('a byte order mark is accepted and not part of the value', () => {
  assert.deepEqual(read('\ufeff{"a":1}'), { a: 1 });
});

test('a byte order mark outranks the charset of the content type', () => {
  assert.deepEqual(readJson(utf16le('\ufeff{"a":"ä"}'), 'utf-8'), { a: 'ä' });
  assert.deepEqual(readJson(utf8('\ufeff{"a":"ä"}'), 'iso-8859-1'), { a: 'ä' });
});

test('the charset of the content type is honoured', () => {
  assert.deepEqual(readJson(utf16le('{"a":"ä"}'), 'utf-16le'), { a: 'ä' });
  assert.deepEqual(readJson(utf16be('{"a":"ä"}'), 'utf-16be'), { a: 'ä' });
  assert.deepEqual(readJson(latin1('{"a":"ä"}'), 'iso-8859-1'), { a: 'ä' });
  assert.deepEqual(readJson(utf8('{"a":"ä"}'), 'utf-8'), { a: 'ä' });
});

test('a charset nobody knows is an unsupported media type', () => {
  refuses(() => readJson(utf8('{}'), 'klingon'), 'unsupported-media-type', 'charset=klingon');
});

test('invalid bytes are refused with their place, never replaced', () => {
  refuses(
    () => readJson(Buffer.concat([utf8('{"a":"é'), Buffer.from([0xff]), utf8('"}')])),
    'malformed',
    'UTF-8',
    'byte 9',
  );
  refuses(() => readJson(Buffer.from([0xff])), 'malformed', 'byte 1');
  refuses(() => readJson(Buffer.from([0x22, 0xc3])), 'malformed', 'UTF-8');
  refuses(() => readJson(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])), 'malformed', 'UTF-8');
  refuses(() => readJson(Buffer.from([0x22, 0x00, 0x00]), 'utf-16le'), 'malformed', 'UTF-16LE');
});

const mistakes: readonly (readonly [string, string])[] = [
  ['', 'line 1, column 1: expected a value, found the end of the text'],
  ['{"a": x}', 'line 1, column 7: expected a value, found x'],
  ['{\n  "a": 1,\n}', 'line 3, column 1: expected a key in double quotes, found }'],
  ['{"a" 1}', 'line 1, column 6: expected a colon, found 1'],
  ["{'a': 1}", "line 1, column 2: expected a key in double quotes or }, found '"],
  ['[1 2]', 'line 1, column 4: expected a comma or the closing bracket, found 2'],
  ['[1,]', 'line 1, column 4: expected a value, found ]'],
  ['[[}', 'line 1, column 3: expected a value or ], found }'],
  ['["a\n"]', 'line 1, column 4: a string with the character U+000A in it'],
  ['["\\x"]', 'line 1, column 3: a wrong escape in a string'],
  ['["abc', 'line 1, column 6: a string that does not end'],
  ['{} {}', 'line 1, column 4: expected nothing more, found {'],
  ['01', 'line 1, column 1: expected a value, found 0'],
  ['1.', 'line 1, column 1: expected a value, found 1'],
  ['NaN', 'line 1, column 1: expected a value, found N'],
  ['[1,\n\n  tru]', 'line 3, column 3: expected a value, found t'],
  ['// c\n{}', 'line 1, column 1: expected a value, found /'],
];
for (const [text, detail] of mistakes) {
  test(`a mistake is named with line and column: ${JSON.stringify(text)}`, () => {
    refuses(() => read(text), 'malformed', detail);
  });
}

test('the place of a mistake is found wherever JSON.parse finds one', () => {
  const random = seeded(7);
  const pieces = ['{', '}', '[', ']', ',', ':', '"a"', '"', '1', '-', 'true', ' ', '\n', '\\', 'e', '.'];
  for (let round = 0; round < 3000; round += 1) {
    const text = Array.from(
      { length: 1 + Math.floor(random() * 8) },
      () => pieces[Math.floor(random() * pieces.length)],
    ).join('');
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      refuses(() => read(text), 'malformed', /line \d+, column \d+: (?!expected nothing more, found the end)/);
      continue;
    }
    assert.deepEqual(read(text), value, text);
  }
});

test('the message of a refusal does not quote the body', () => {
  refuses(() => read('{"password": "hunter2" "x"}'), 'malformed', /^(?!.*hunter2)/);
});

test('200 levels are read, 201 are refused', () => {
  assert.ok(read('['.repeat(200) + ']'.repeat(200)));
  assert.ok(read(`${'{"a":'.repeat(199)}[]${'}'.repeat(199)}`));
  refuses(() => read('['.repeat(201) + ']'.repeat(201)), 'malformed', '200 levels');
  refuses(() => read(`${'{"a":'.repeat(201)}1${'}'.repeat(201)}`), 'malformed', '200 levels');
  refuses(() => read('['.repeat(100_000) + ']'.repeat(100_000)), 'malformed', '200 levels');
  refuses(() => read(`${'['.repeat(100_000)}12345678901234567890${']'.repeat(100_000)}`), 'malformed', '200 levels');
  refuses(() => read('['.repeat(100_000)), 'malformed', 'line 1, column 100001');
  refuses(() => readJson(utf16le('['.repeat(201) + ']'.repeat(201)), 'utf-16le'), 'malformed', '200 levels');
});

test('brackets inside strings are not levels, and do not hide any', () => {
  assert.deepEqual(read(`["${'['.repeat(500)}"]`), ['['.repeat(500)]);
  assert.deepEqual(read(`[${Array(300).fill('["\\"[\\\\"]').join(',')}]`), Array(300).fill(['"[\\']));
  refuses(() => read(`${'["]]]]",'.repeat(201)}1${']'.repeat(201)}`), 'malformed', '200 levels');
});

test('many lists side by side are not deep', () => {
  assert.equal((read(`[${Array(1000).fill('[]').join(',')}]`) as readonly unknown[]).length, 1000);
});

test('keys that reach a prototype are refused, however they are written', () => {
  for (const text of [
    '{"__proto__":{}}',
    '[{"a":{"__proto__":1}}]',
    '{"\\u005f_proto__":1}',
    '{"__prot\\u006F__":1}',
  ]) {
    refuses(() => read(text), 'malformed', '__proto__');
  }
  refuses(() => read('{"constructor":{"prototype":{"x":1}}}'), 'malformed', 'constructor.prototype');
  refuses(() => read('{"\\u0063onstructor":{"prototype":{}}}'), 'malformed', 'constructor.prototype');
});

test('the same words as text, or a constructor without a prototype, are fine', () => {
  assert.deepEqual(read('{"a":"__proto__"}'), { a: '__proto__' });
  assert.deepEqual(read('{"constructor":{"name":"Bob"}}'), { constructor: { name: 'Bob' } });
  assert.deepEqual(read('{"a":"\\u0041"}'), { a: 'A' });
});

test('integers that a number would round keep all their digits, as text', () => {
  assert.deepEqual(read('[9007199254740991,-9007199254740991]'), [9007199254740991, -9007199254740991]);
  assert.deepEqual(read('[9007199254740992,-9007199254740993]'), ['9007199254740992', '-9007199254740993']);
  assert.deepEqual(read('{"id": 12345678901234567890123}'), { id: '12345678901234567890123' });
  assert.equal(read('12345678901234567890'), '12345678901234567890');
  assert.deepEqual(read('{"a":\n12345678901234567890\n}'), { a: '12345678901234567890' });
});

test('fractions, exponents and digits inside strings are what JSON says', () => {
  assert.deepEqual(
    read('[0.12345678901234567,1234567890123456.5,12345678901234567890e0,1e30]'),
    ['0.12345678901234567', '1234567890123456.5', '12345678901234567890e0', '1e30'].map(Number),
  );
  assert.deepEqual(read('["4111111111111111111","a: 12345678901234567890,"]'), [
    '4111111111111111111',
    'a: 12345678901234567890,',
  ]);
});

test('escaped quotes and backslashes do not hide where a text ends', () => {
  const text = '{"a\\\\\\"": 12345678901234567890, "b\\\\": ["\\"12345678901234567890", -98765432109876543210]}';
  assert.deepEqual(read(text), {
    'a\\"': '12345678901234567890',
    'b\\': ['"12345678901234567890', '-98765432109876543210'],
  });
});

test('a number that floating point has no room for is refused, not written as null', () => {
  for (const text of [
    '1e400',
    '[-1e309]',
    '{"a": 1E+400}',
    '{"a": 12.5e0310}',
    `[1${'0'.repeat(320)}.5]`,
    `{"a":1${'0'.repeat(200)}e110}`,
    `1${'0'.repeat(200)}.5e110`,
  ]) {
    refuses(() => readJson(utf8(text)), 'malformed', 'a number is out of range');
  }
  for (const text of ['1e308', '-1.5E+100', '1e-400', '"1e400"', '{"1e999": "2e999"}']) {
    assert.deepEqual(readJson(utf8(text)), JSON.parse(text), text);
  }
});

test('an unsafe integer is found at every offset', () => {
  for (let pad = 0; pad < 40; pad += 1) {
    assert.deepEqual(read(`["${'x'.repeat(pad)}",9007199254740993,1]`), ['x'.repeat(pad), '9007199254740993', 1]);
  }
});

test('of a key given twice the last one counts', () => {
  assert.deepEqual(read('{"a":1,"a":2}'), { a: 2 });
});

test('reading looks at each character a bounded number of times', () => {
  for (const unit of ['{"a":[1,2]},', '"\\\\\\"",', '12345678901234567890,', '[[[[]]]],']) {
    const work = (n: number): number => charactersLookedAt(() => read(`[${unit.repeat(n)}0]`));
    assert.ok(work(2000) <= 2.1 * work(1000) + 100, unit);
  }
});

test('values are written as JSON; nothing is null', () => {
  assert.equal(writeJson({ a: [1, 'x', null, undefined] }), '{"a":[1,"x",null,null]}');
  assert.equal(writeJson(undefined), 'null');
  assert.equal(writeJson('x'), '"x"');
  assert.equal(writeJson({ a: 1 }, { indent: 2 }), '{\n  "a": 1\n}');
});

test('what JSON cannot hold is refused when it is written', () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  refuses(() => writeJson(circle), 'malformed', /circular/i);
  refuses(() => writeJson({ a: 1n }), 'malformed', 'BigInt');
});

test('what is nested too deeply for the engine is refused when it is written; newer ones write it', () => {
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i += 1) deep = [deep];
  if (Number(process.versions.node.split('.')[0]) < 26) refuses(() => writeJson(deep), 'malformed', 'too deeply');
  else assert.equal(writeJson(deep).length, 200_001);
});
