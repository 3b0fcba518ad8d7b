import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StreamDecoder } from '../../src/format/charset.ts';
import { recordFormats } from '../../src/format/record-formats.ts';
import { latin1, refuses, seeded, utf8, utf16be, utf16le } from './support.ts';

/** What is found in the bytes when they come in pieces of `cut` bytes. */
function found(name: string, bytes: Uint8Array, cut: () => number, options?: unknown, given?: string): unknown {
  const format = recordFormats.find((one) => one.name === name);
  assert.ok(format, name);
  const records: unknown[] = [];
  const decoder = new StreamDecoder(name, (head) => format.charset(head, given), format.head);
  try {
    const reader = format.reader(
      options,
      ({ line, ...one }) => records.push([line, 'value' in one ? one.value : one.problem.message]),
      10_000,
    );
    for (let at = 0; at < bytes.length; ) {
      const next = at + cut();
      reader.write(decoder.decode(bytes.subarray(at, next)));
      at = next;
    }
    reader.write(decoder.end());
    reader.end();
  } catch (thrown) {
    records.push((thrown as Error).message.replace(/between bytes .*/, ''));
  }
  return records;
}

const texts: Readonly<Record<string, readonly string[]>> = {
  csv: ['a,b\n1,"ü\n""😀"""\r\n\r\n3\n4,5', 'a\n"'],
  jsonLines: ['{"a":"ü😀"}\n\n[1,\n2]\r\n"x"', '1'],
  jsonArray: [
    '[]',
    ' [ {"a":"]}\\\\\\"😀"} ,\n[1,[2]], -1.5e3,true,null , "ü" ] \n',
    '[1,2',
    '[1 2,3]',
    '[1,]',
    '[,1]',
    '{"a":1}',
    '',
    '[1]]',
    '["a\\"]',
  ],
  xmlElement: [
    '<?xml version="1.0"?>\n<l>x<i a="1">ü&amp;😀<b/>t</i>\n<j><i><i/></i></j><!-- <i/> --><i/></l>',
    '<l><i>',
    '<l><i></l>',
    '<i>alone</i>',
    '<l/><l/>',
  ],
  lines: ['a\r\n\nü😀\r', ''],
};

describe('records are the same, however their bytes are cut', () => {
  for (const [name, all] of Object.entries(texts)) {
    test(name, () => {
      const random = seeded(5);
      for (const text of all) {
        const bytes = utf8(text);
        const options = name === 'xmlElement' ? { name: 'i' } : undefined;
        const whole = found(name, bytes, () => Math.max(1, bytes.length), options);
        for (let run = 0; run < 50; run++) {
          const cut = (): number => 1 + Math.floor(random() * 4);
          assert.deepEqual(found(name, bytes, cut, options), whole, JSON.stringify(text));
        }
      }
    });
  }
});

test('the charset is that of the byte order mark, of the content type, or of the XML declaration', () => {
  const one = (): number => 1;
  for (const bytes of [utf16le('\uFEFFü\n'), utf16be('\uFEFFü\n'), utf8('\uFEFFü\n'), utf8('ü\n')]) {
    assert.deepEqual(found('lines', bytes, one), [[1, 'ü']]);
  }
  assert.deepEqual(found('lines', latin1('ü'), one, undefined, 'iso-8859-1'), [[1, 'ü']]);
  const xml = latin1('<?xml version="1.0" encoding="ISO-8859-1"?><l><i>ü</i></l>');
  assert.deepEqual(found('xmlElement', xml, one, { name: 'i' }), [[1, { i: 'ü' }]]);
  assert.deepEqual(found('lines', latin1('first\nü\nb'), one), [
    [1, 'first'],
    'The lines cannot be read: it is not valid UTF-8 (',
  ]);
});

test('a character that is cut off at the end is an error', () => {
  const decoder = new StreamDecoder('lines', () => 'utf-8');
  assert.equal(decoder.decode(utf8('abcü').subarray(0, 4)), 'abc');
  refuses(() => decoder.end(), 'malformed', 'not valid UTF-8');
});
