import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readForm, writeForm } from '../../src/format/form.ts';
import { text } from '../../src/format/text.ts';
import { latin1, refuses, utf8 } from './support.ts';

test('a form becomes an object of texts, a repeated field a list', () => {
  assert.deepEqual(readForm(utf8('a=1&b=x+y%21&c&a=%C3%A4&a=')), { a: ['1', 'ä', ''], b: 'x y!', c: '' });
  assert.deepEqual(readForm(utf8('constructor=1&toString=2&toString=3')), { constructor: '1', toString: ['2', '3'] });
});

test('a field called __proto__ is refused', () => {
  refuses(() => readForm(utf8('__proto__=1')), 'malformed', '__proto__');
  refuses(() => readForm(utf8('%5F_proto__=1')), 'malformed', '__proto__');
});

test('a form is read as browsers and URLSearchParams read it', () => {
  for (const written of [
    'a=1&a=2&b',
    '&&=x&y=&',
    'a+b=c+d%2Be',
    'n%20m=%C3%A9',
    'p=%zz&q=100%&r=%ff',
    'x=a=b',
    '%26=%3D',
  ]) {
    const parameters = new URLSearchParams(written);
    const expected = Object.fromEntries([...parameters.keys()].map((name) => [name, parameters.getAll(name)]));
    const read = Object.entries(readForm(utf8(written))).map(([name, value]) => [name, [value].flat()]);
    assert.deepEqual(Object.fromEntries(read), expected, written);
  }
});

test('JSON that is called a form, as `curl -d` does, is refused with what to send', () => {
  for (const text of ['{"name":"Ada"}', ' [1,2]', '{ "a": "b=c&d" }']) {
    refuses(() => readForm(utf8(text)), 'malformed', 'content-type: application/json');
  }
  assert.deepEqual(readForm(utf8('%7B%22a%22%3A1%7D=')), { '{"a":1}': '' });
});

test('an object becomes a form', () => {
  const value = { a: [1, 'ä', null], b: 'x y!&=', c: null, d: undefined, e: true };
  assert.equal(writeForm(value), 'a=1&a=%C3%A4&a=&b=x+y%21%26%3D&c=&e=true');
  assert.equal(writeForm('a=1'), 'a=1');
});

test('a form survives being written and read', () => {
  const value = { a: ['1', ' +&=%', '😀'], 'b c': '', '': 'x' };
  assert.deepEqual(readForm(utf8(writeForm(value))), value);
});

test('what a form has no place for is refused by name', () => {
  refuses(() => writeForm({ a: { b: 1 } }), 'malformed', 'The form cannot be written: ', 'field a');
  refuses(() => writeForm({ a: [[1]] }), 'malformed', 'field a');
  refuses(() => writeForm([1]), 'malformed', 'object');
  refuses(() => writeForm(5), 'malformed', 'object');
});

test('text is text', () => {
  assert.equal(text.read(utf8('ä\r\n'), undefined), 'ä\r\n');
  assert.equal(text.read(latin1('ä'), 'iso-8859-1'), 'ä');
  refuses(() => text.read(latin1('ä'), undefined), 'malformed', 'UTF-8');
  assert.equal(text.write('x'), 'x');
  assert.equal(text.write(undefined), '');
  assert.equal(text.write(7), '7');
  assert.equal(text.write({ a: 1 }), '{"a":1}');
});
