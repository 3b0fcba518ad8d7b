import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { formatFor, formatNamed, formats, parseContentType, readBody, writeBody } from '../../src/format/index.ts';
import { latin1, refuses, utf8 } from './support.ts';

const types: readonly (readonly [string | undefined, string | undefined])[] = [
  [undefined, 'json'],
  ['', 'json'],
  ['application/json', 'json'],
  ['Application/JSON; charset=UTF-8', 'json'],
  ['application/problem+json', 'json'],
  ['application/xml', 'xml'],
  ['text/xml; charset=utf-8', 'xml'],
  ['application/soap+xml; action="x"', 'xml'],
  ['image/svg+xml', 'xml'],
  ['application/x-www-form-urlencoded', 'form'],
  ['text/plain', 'text'],
  ['text/csv', 'csv'],
  ['text/csv; header=absent', 'csv'],
  ['text/tab-separated-values', 'text'],
  ['application/x-ndjson', 'jsonLines'],
  ['application/jsonl', 'jsonLines'],
  ['application/octet-stream', undefined],
  ['image/png', undefined],
  ['application/json-lines', undefined],
  ['nonsense', undefined],
];
for (const [contentType, name] of types) {
  test(`a body of type ${contentType} is ${name ?? 'bytes'}`, () => assert.equal(formatFor(contentType)?.name, name));
}

test('every format is found by its name, has described options, and reads what it says it writes', () => {
  for (const format of formats) {
    assert.equal(formatNamed(format.name), format);
    assert.equal(formatFor(format.mediaType), format);
    const { properties } = format.options as {
      readonly properties: Readonly<Record<string, { readonly description?: string }>>;
    };
    for (const [option, schema] of Object.entries(properties))
      assert.ok(schema.description, `${format.name}.${option}`);
  }
  assert.equal(formatNamed('yaml'), undefined);
});

test('a content type is taken apart whatever its case, quotes and spaces', () => {
  assert.deepEqual(parseContentType('Text/Plain ; x="a;b" ;  Charset = "UTF-16LE"'), {
    mediaType: 'text/plain',
    charset: 'utf-16le',
  });
  assert.deepEqual(parseContentType('text/plain;charset='), { mediaType: 'text/plain', charset: undefined });
  assert.equal(parseContentType('a/b;charset=x'), parseContentType('a/b;charset=x'));
});

test('content types of all kinds do not pile up', () => {
  const first = parseContentType('a/0; charset=utf-8');
  for (let i = 1; i < 1000; i += 1) parseContentType(`a/${i}; charset=utf-8`);
  assert.notEqual(parseContentType('a/0; charset=utf-8'), first);
});

test('a body is read by its content type', () => {
  assert.deepEqual(readBody(utf8('{"a":1}'), undefined), { a: 1 });
  assert.deepEqual(readBody(utf8('<a>1</a>'), 'text/xml'), { a: '1' });
  assert.deepEqual(readBody(utf8('<a><b/></a>'), 'text/xml', { arrays: ['a.b'] }), { a: { b: [''] } });
  assert.deepEqual(readBody(utf8('a=1'), 'application/x-www-form-urlencoded'), { a: '1' });
  assert.equal(readBody(latin1('ä'), 'text/plain; charset=iso-8859-1'), 'ä');
});

test('an empty body has no value', () => {
  assert.equal(readBody(new Uint8Array(), 'application/json'), undefined);
  assert.equal(readBody(new Uint8Array(), 'image/png'), undefined);
});

test('bytes have no value', () => {
  refuses(() => readBody(utf8('x'), 'image/png'), 'unsupported-media-type', 'image/png');
});

test('a value is written by its content type', () => {
  assert.deepEqual(writeBody({ a: 1 }, undefined), { bytes: '{"a":1}', contentType: 'application/json' });
  assert.deepEqual(writeBody('x', undefined), { bytes: '"x"', contentType: 'application/json' });
  assert.deepEqual(writeBody('x', 'text/plain'), { bytes: 'x', contentType: 'text/plain' });
  assert.deepEqual(writeBody({ a: 1 }, 'application/x-www-form-urlencoded').bytes, 'a=1');
  assert.deepEqual(writeBody({ a: 1 }, 'text/xml').bytes, '<?xml version="1.0" encoding="UTF-8"?><a>1</a>');
  assert.deepEqual(writeBody({ a: 1 }, 'application/problem+json'), {
    bytes: '{"a":1}',
    contentType: 'application/problem+json',
  });
});

test('bytes stay bytes, and text of a type we do not know stays text', () => {
  const bytes = new Uint8Array([1, 2]);
  assert.deepEqual(writeBody(bytes, 'image/png'), { bytes, contentType: 'image/png' });
  assert.deepEqual(writeBody(bytes, undefined), { bytes, contentType: 'application/octet-stream' });
  assert.deepEqual(writeBody('x', 'application/x-ndjson'), { bytes: 'x', contentType: 'application/x-ndjson' });
  refuses(() => writeBody({ a: 1 }, 'image/png'), 'unsupported-media-type', 'image/png');
});

test('a text that is markup already is sent as it is under an XML type, other texts are refused', () => {
  assert.deepEqual(writeBody(' <a/>', 'text/xml').bytes, ' <a/>');
  refuses(() => writeBody('hello', 'text/xml'), 'malformed', 'root');
});

test('the content type that comes back names the charset that was used', () => {
  assert.equal(writeBody('ä', 'text/plain; charset=iso-8859-1; x=1').contentType, 'text/plain; charset=utf-8; x=1');
  assert.equal(writeBody('ä', 'text/plain; charset="UTF-8"').contentType, 'text/plain; charset="UTF-8"');
});

test('handling JSON does not load the XML parser, handling XML does, without a warning', () => {
  const index = new URL('../../src/format/index.ts', import.meta.url).href;
  const script = `
    import { createRequire } from 'node:module';
    import { formats, readBody, writeBody } from ${JSON.stringify(index)};
    const loaded = () => Object.keys(createRequire(${JSON.stringify(index)}).cache).some((file) => file.includes('saxes'));
    readBody(Buffer.from('{}'), undefined);
    writeBody({}, undefined);
    const before = loaded();
    const value = readBody(Buffer.from('<a/>'), 'text/xml');
    console.log(JSON.stringify({ before, after: loaded(), value }));
  `;
  const run = execFileSync(process.execPath, ['--input-type=module', '--eval', `${script}`], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.deepEqual(JSON.parse(run), { before: false, after: true, value: { a: '' } });
});
