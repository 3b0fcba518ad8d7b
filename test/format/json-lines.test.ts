import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBody, writeBody } from '../../src/format/index.ts';
import { jsonLinesReader, readJsonLines, writeJsonLines } from '../../src/format/json-lines.ts';
import { refuses, seeded, utf8 } from './support.ts';

test('each line is a value; empty lines are none', () => {
  assert.deepEqual(readJsonLines(utf8('{"a":1}\r\n\n[2]\n  \n"x"\nnull')), [{ a: 1 }, [2], 'x', null]);
  assert.deepEqual(readJsonLines(utf8('')), []);
});

test('a line that is no JSON is refused with its number', () => {
  refuses(
    () => readJsonLines(utf8('{"a":1}\n\n{"a":}\n')),
    'malformed',
    'The jsonLines cannot be read: line 3: column 6: ',
  );
  refuses(() => readJsonLines(utf8('1\n{"__proto__":1}\n')), 'malformed', 'line 2: the key __proto__ is not allowed');
  refuses(
    () => readJsonLines(utf8(`1\n${'['.repeat(300)}${']'.repeat(300)}`)),
    'malformed',
    'line 2: it is nested deeper',
  );
});

test('a list becomes lines, any other value one line', () => {
  assert.equal(writeJsonLines([{ a: 'x\ny' }, null, 3]), '{"a":"x\\ny"}\nnull\n3\n');
  assert.equal(writeJsonLines({ a: 1 }), '{"a":1}\n');
  assert.equal(writeJsonLines([]), '');
  assert.equal(writeJsonLines('1\n2\n'), '1\n2\n');
});

test('it is known by its content types', () => {
  for (const type of ['application/x-ndjson', 'application/ndjson', 'application/jsonl', 'application/x-jsonlines']) {
    assert.deepEqual(readBody(utf8('1\n2\n'), type), [1, 2], type);
    assert.equal(writeBody([1, 2], type).bytes, '1\n2\n', type);
  }
});

test('in pieces it reads the same; a line without an end is refused where lines have a longest', () => {
  const random = seeded(3);
  const values = [{ a: 'ü\n😀' }, [1, 2], 'x', null, 12.5];
  const text = writeJsonLines(values);
  for (let run = 0; run < 200; run++) {
    const got: unknown[] = [];
    const reader = jsonLinesReader((record) => got.push(record.problem ?? record.value));
    for (let at = 0; at < text.length; ) {
      const next = at + 1 + Math.floor(random() * 6);
      reader.write(text.slice(at, next));
      at = next;
    }
    reader.end();
    assert.deepEqual(got, values);
  }
  const reader = jsonLinesReader(() => {}, 100);
  reader.write('1\n2\n"');
  refuses(
    () => {
      for (let i = 0; i < 20; i++) reader.write('xxxxxxxxxx');
    },
    'malformed',
    'line 3: a line of more than 100 characters',
  );
});
