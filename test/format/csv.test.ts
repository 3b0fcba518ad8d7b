import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CsvReader, readCsv } from '../../src/format/csv-read.ts';
import { writeCsv } from '../../src/format/csv-write.ts';
import { readBody, writeBody } from '../../src/format/index.ts';
import { latin1, refuses, seeded, utf8, utf16le } from './support.ts';

const read = (text: string, options?: Parameters<typeof readCsv>[2]): readonly unknown[] =>
  readCsv(utf8(text), undefined, options);

describe('CSV is read', () => {
  test('by the names in the first row, and nothing is coerced', () => {
    assert.deepEqual(read('sku,quantity,note\r\ntea,007, x \r\ncup,,true\r\n'), [
      { sku: 'tea', quantity: '007', note: ' x ' },
      { sku: 'cup', quantity: '', note: 'true' },
    ]);
  });

  test('with LF or CR LF, and with or without a line end at the end', () => {
    const rows = [{ a: '1', b: '2' }];
    for (const text of ['a,b\n1,2', 'a,b\n1,2\n', 'a,b\r\n1,2', 'a,b\r\n1,2\r\n', 'a,b\r\n1,2\n\n\r\n']) {
      assert.deepEqual(read(text), rows, JSON.stringify(text));
    }
  });

  test('with quotes around what has a delimiter, a quote or a line end in it', () => {
    assert.deepEqual(read('a,b\n"x, y","say ""hi"""\n"two\r\nlines",""\n'), [
      { a: 'x, y', b: 'say "hi"' },
      { a: 'two\r\nlines', b: '' },
    ]);
  });

  test('as lists without a header, or by names that are given', () => {
    assert.deepEqual(read('1,2\n3,4\n', { header: false }), [
      ['1', '2'],
      ['3', '4'],
    ]);
    assert.deepEqual(read('1,2\n', { header: false, columns: ['a', 'b'] }), [{ a: '1', b: '2' }]);
  });

  test('with another delimiter and another quote', () => {
    assert.deepEqual(read("a;b\n'x;y';it\n", { delimiter: ';', quote: "'" }), [{ a: 'x;y', b: 'it' }]);
    assert.deepEqual(read('a\tb\n1\t2\n', { delimiter: '\t' }), [{ a: '1', b: '2' }]);
  });

  test('in its charset, and without its byte order mark', () => {
    assert.deepEqual(readCsv(latin1('a\nü\n'), 'iso-8859-1'), [{ a: 'ü' }]);
    assert.deepEqual(read('\uFEFFa\nü\n'), [{ a: 'ü' }]);
    assert.deepEqual(readCsv(utf16le('\uFEFFa\nü\n')), [{ a: 'ü' }]);
    refuses(() => readCsv(latin1('a\nü\n')), 'malformed', 'not valid UTF-8', 'byte 3');
  });

  test('of nothing, or of a header alone, as no rows', () => {
    assert.deepEqual(read(''), []);
    assert.deepEqual(read('\n\r\n'), []);
    assert.deepEqual(read('a,b\n'), []);
  });

  test('by content type', () => {
    assert.deepEqual(readBody(utf8('a\n1\n'), 'text/csv; header=present'), [{ a: '1' }]);
    assert.deepEqual(readBody(latin1('a\nü\n'), 'text/csv; charset=iso-8859-1'), [{ a: 'ü' }]);
  });
});

describe('CSV is refused', () => {
  for (const [title, text, ...says] of [
    ['a row with a field too few', 'a,b,c\n1,2,3\n4,5\n', 'line 3 (row 2): 2 fields instead of 3'],
    ['a row with a field too many', 'a\n1,2\n', 'line 2 (row 1): 2 fields instead of 1'],
    ['a row behind one of several lines', 'a,b\n"x\ny\nz",1\nlost\n', 'line 5 (row 2): 1 field instead of 2'],
    [
      'a quote that is never closed',
      'a,b\n1,"x\n2,y\n',
      'line 2 (row 1): the quote that begins field 2 is never closed',
    ],
    ['a quote in the middle of a field', 'a,b\n1,5" disc\n', 'line 2 (row 1): field 2 has a quote'],
    ['something behind a closing quote', 'a,b\n"1"x,2\n', 'line 2 (row 1): field 1 goes on behind its closing quote'],
    ['line ends of CR alone', 'a,b\r1,2\r', 'line 1 (the header): it has a carriage return that ends no line'],
    ['a column twice', 'a,b,a\n', 'line 1 (the header): the column a is there twice'],
    ['a column without a name', 'a,,b\n', 'line 1 (the header): column 2 has no name'],
    ['a column __proto__', '__proto__\n1\n', '__proto__'],
  ] as const) {
    test(`${title}`, () => refuses(() => read(text), 'malformed', 'The csv cannot be read', ...says));
  }

  test('a header that lacks a column of `columns`; more columns do no harm', () => {
    const options = { columns: ['sku', 'quantity'] };
    assert.deepEqual(read('quantity,sku,x\n1,tea,y\n', options), [{ quantity: '1', sku: 'tea', x: 'y' }]);
    refuses(
      () => read('sku,amount\ntea,1\n', options),
      'malformed',
      'the column quantity is missing; there are sku, amount',
    );
  });

  test('a row that goes on for ever, where rows have a longest', () => {
    const reader = new CsvReader({}, () => {}, 1000);
    const write = (): void => {
      reader.write('a,b\n1,"');
      for (let i = 0; i < 100; i++) reader.write('x'.repeat(100));
    };
    refuses(write, 'malformed', 'line 2: a row of more than 1000 characters', 'is a quote never closed?');
  });
});

describe('CSV is written', () => {
  test('with a header, and quotes only where they are needed', () => {
    const rows = [
      { sku: 'tea', quantity: 2, note: 'say "hi", twice' },
      { sku: 'cup', quantity: 0.5, ok: true, note: null },
    ];
    assert.equal(writeCsv(rows), 'sku,quantity,note,ok\r\ntea,2,"say ""hi"", twice",\r\ncup,0.5,,true\r\n');
  });

  test('with the columns that are asked for, in their order', () => {
    const rows = [{ a: 1, b: 2, c: 3 }];
    assert.equal(writeCsv(rows, { columns: ['c', 'a', 'x'] }), 'c,a,x\r\n3,1,\r\n');
    assert.equal(writeCsv(rows, { columns: ['c'], header: false }), '3\r\n');
    assert.equal(writeCsv([], { columns: ['a', 'b'] }), 'a,b\r\n');
  });

  test('of lists, of one map, of nothing, and of what is CSV already', () => {
    assert.equal(writeCsv([[1, 'x'], [2]], { header: false }), '1,x\r\n2\r\n');
    assert.equal(writeCsv([[1, 2]], { columns: ['a', 'b'] }), 'a,b\r\n1,2\r\n');
    assert.equal(writeCsv({ a: 1 }), 'a\r\n1\r\n');
    assert.equal(writeCsv(undefined), '');
    assert.equal(writeCsv('a,b\n'), 'a,b\n');
    assert.equal(String(writeBody([{ a: 1 }], 'text/csv').bytes), 'a\r\n1\r\n');
  });

  test('so that a spreadsheet runs no formula of a stranger, where that is asked for', () => {
    const rows = [{ a: '=HYPERLINK("x")', b: '+1', c: '@x', d: -5, e: 'a=b' }];
    assert.equal(writeCsv(rows, { escapeFormulas: true, header: false }), '"\'=HYPERLINK(""x"")",\'+1,\'@x,-5,a=b\r\n');
    assert.equal(writeCsv(rows, { header: false }), '"=HYPERLINK(""x"")",+1,@x,-5,a=b\r\n');
  });

  test('but not what it has no place for', () => {
    refuses(() => writeCsv([{ a: 1 }, { a: { b: 1 } }]), 'malformed', 'row 2, column a: a map has no form in CSV');
    refuses(() => writeCsv([{ a: [1] }]), 'malformed', 'row 1, column a: a list');
    refuses(() => writeCsv([1, 2]), 'malformed', 'row 1 is no map and no list');
    refuses(() => writeCsv([{ a: 1 }, [1]]), 'malformed', 'row 2 is a list where others are maps');
    refuses(() => writeCsv([[1]]), 'malformed', 'no names for a header');
    refuses(() => writeCsv([[1], [1, 2]], { columns: ['a'] }), 'malformed', 'row 2 has 2 fields');
  });
});

const pieces = [
  '',
  ' ',
  'x',
  'ü',
  '😀',
  ',',
  ';',
  '"',
  '""',
  '\n',
  '\r',
  '\r\n',
  "'",
  '\t',
  '=',
  '\uFEFF',
  '\\',
  'null',
  '007',
];

function randomText(random: () => number): string {
  let text = '';
  for (let i = Math.floor(random() * 4); i > 0; i--) text += pieces[Math.floor(random() * pieces.length)];
  return text;
}

test('whatever texts are written are read again, in one piece or in many', () => {
  const random = seeded(7);
  for (let run = 0; run < 2000; run++) {
    const options = {
      header: random() < 0.5,
      delimiter: [',', ';', '\t', '|', ' '][Math.floor(random() * 5)] ?? ',',
      quote: random() < 0.8 ? '"' : "'",
    };
    const width = 1 + Math.floor(random() * 4);
    const names = Array.from({ length: width }, (_, index) => `${randomText(random)}${index}`);
    const lists = Array.from({ length: Math.floor(random() * 6) }, () => names.map(() => randomText(random)));
    const rows = options.header
      ? lists.map((list) => Object.fromEntries(names.map((name, index) => [name, list[index]])))
      : lists;
    const text = writeCsv(rows, options);
    assert.deepEqual(readCsv(utf8(text), undefined, options), rows, `run ${run}: ${JSON.stringify(text)}`);
    const got: unknown[] = [];
    const reader = new CsvReader(options, (record) => got.push(record.problem ?? record.value));
    for (let at = 0; at < text.length; ) {
      const next = at + 1 + Math.floor(random() * 5);
      reader.write(text.slice(at, next));
      at = next;
    }
    reader.end();
    assert.deepEqual(got, rows, `run ${run}, in pieces: ${JSON.stringify(text)}`);
  }
});

test('whatever is read, in one piece or in many, says the same, with the same lines', () => {
  const random = seeded(11);
  const outcome = (cut: () => number, text: string): unknown => {
    const got: unknown[] = [];
    const reader = new CsvReader({}, ({ line, ...record }) =>
      got.push([line, 'value' in record ? record.value : record.problem.message]),
    );
    try {
      for (let at = 0; at < text.length; ) {
        const next = at + cut();
        reader.write(text.slice(at, next));
        at = next;
      }
      reader.end();
    } catch (thrown) {
      got.push((thrown as Error).message);
    }
    return got;
  };
  for (let run = 0; run < 3000; run++) {
    let text = 'a,b\n';
    for (let i = Math.floor(random() * 12); i > 0; i--) text += pieces[Math.floor(random() * pieces.length)];
    const whole = outcome(() => text.length, text);
    assert.deepEqual(
      outcome(() => 1 + Math.floor(random() * 3), text),
      whole,
      JSON.stringify(text),
    );
  }
});

test('a problem in one row leaves those behind it as they are', () => {
  const got: unknown[] = [];
  const reader = new CsvReader({}, ({ line, ...record }) => got.push([line, 'value' in record ? record.value : 'bad']));
  reader.write('a,b\n1,2\n3\n"x"y,"\n5,6\n7,8"\n9,10');
  reader.end();
  assert.deepEqual(got, [
    [2, { a: '1', b: '2' }],
    [3, 'bad'],
    [4, 'bad'],
    [5, { a: '5', b: '6' }],
    [6, 'bad'],
    [7, { a: '9', b: '10' }],
  ]);
});

/** How many characters are searched through while `act` runs: a measure of work that does not depend on the machine. */
function charactersSearched(act: () => void): number {
  const original = String.prototype.indexOf;
  let count = 0;
  String.prototype.indexOf = function counting(this: string, wanted: string, start = 0): number {
    const at = original.call(this, wanted, start);
    count += (at < 0 ? this.length : at) - start + 1;
    return at;
  };
  try {
    act();
  } finally {
    String.prototype.indexOf = original;
  }
  return count;
}

test('the work grows with the text, and not with its square, whatever stands in it', () => {
  const searched = (text: string, piece: number): number =>
    charactersSearched(() => {
      const reader = new CsvReader({ header: false }, () => {});
      for (let at = 0; at < text.length; at += piece) reader.write(text.slice(at, at + piece));
      reader.end();
    });
  for (const unit of ['"', 'x"\n', '"x"\n', '"a""', ',', '\n', '\r', 'x', '"\n']) {
    const text = unit.repeat(20_000);
    for (const piece of [1000, text.length]) {
      const count = searched(text, piece);
      assert.ok(count < text.length * 12, `${JSON.stringify(unit)}: ${count} for ${text.length}`);
    }
  }
});
