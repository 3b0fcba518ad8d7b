import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeXml } from '../../src/format/xml-write.ts';
import { charactersLookedAt, refuses } from './support.ts';

const bare = { declaration: false };

test('a document begins with its declaration unless that is turned off', () => {
  assert.equal(writeXml({ a: 'x' }), '<?xml version="1.0" encoding="UTF-8"?><a>x</a>');
  assert.equal(writeXml({ a: 'x' }, bare), '<a>x</a>');
});

const shapes: readonly (readonly [string, unknown, string, object?])[] = [
  ['empty text and null are an empty element', { a: { b: '', c: null } }, '<a><b/><c/></a>'],
  [
    'what is undefined is left out',
    { a: { b: undefined, '@c': undefined, d: [undefined, 1], e: () => 1 } },
    '<a><d>1</d></a>',
  ],
  [
    'numbers, true and false become text',
    { a: { '@n': 1.5, b: true, c: 0, d: -2, e: 10n } },
    '<a n="1.5"><b>true</b><c>0</c><d>-2</d><e>10</e></a>',
  ],
  ['dates are written as in JSON', { a: new Date(0) }, '<a>1970-01-01T00:00:00.000Z</a>'],
  ['a list is a repeated element, an empty one is none', { a: { b: [1, '', null], c: [] } }, '<a><b>1</b><b/><b/></a>'],
  ['attributes go into the tag wherever they stand', { a: { b: 1, '@c': 2 } }, '<a c="2"><b>1</b></a>'],
  ['text beside attributes and children', { a: { '@x': 1, '#text': 'y', b: '' } }, '<a x="1">y<b/></a>'],
  ['text is escaped', { a: '<b> & "c" ]]>' }, '<a>&lt;b&gt; &amp; "c" ]]&gt;</a>'],
  ['attributes are escaped', { a: { '@b': '<&>"\t\n\r\'' } }, '<a b="&lt;&amp;&gt;&quot;&#9;&#10;&#13;\'"/>'],
  ['a carriage return in text is a reference, line feeds and tabs stay', { a: '1\r\n\t2' }, '<a>1&#13;\n\t2</a>'],
  ['characters beyond the basic plane stay', { a: '😀 数 \u2028' }, '<a>😀 数 \u2028</a>'],
  [
    'mixed content is written in its order',
    { p: { '@k': 1, '#mixed': ['a ', { b: 'c' }, ' d', { e: ['1', '2'] }, 5] } },
    '<p k="1">a <b>c</b> d<e>1</e><e>2</e>5</p>',
  ],
  [
    'namespaces are declared on the root, those that are used',
    { 'p:a': { 'p:b': 1, '@q:c': 2 } },
    '<p:a q:c="2" xmlns:q="urn:q" xmlns:p="urn:p"><p:b>1</p:b></p:a>',
    { namespaces: { p: 'urn:p', q: 'urn:q', r: 'urn:r' } },
  ],
  [
    'the empty prefix declares the default namespace',
    { a: { b: 1 } },
    '<a xmlns="urn:d"><b>1</b></a>',
    { namespaces: { '': 'urn:d' } },
  ],
  [
    'a prefix that only children use is declared on the root too',
    { a: { b: [{ 'p:c': 1 }] } },
    '<a xmlns:p="urn:p"><b><p:c>1</p:c></b></a>',
    { namespaces: { p: 'urn:p' } },
  ],
  [
    'declarations in the value count first',
    { a: { '@xmlns:p': 'urn:own', 'p:b': 1 } },
    '<a xmlns:p="urn:own"><p:b>1</p:b></a>',
    { namespaces: { p: 'urn:p' } },
  ],
  ['the prefix xml needs no declaration', { a: { '@xml:lang': 'en' } }, '<a xml:lang="en"/>'],
  ['root names the element around a value with several keys', { a: 1, b: 2 }, '<r><a>1</a><b>2</b></r>', { root: 'r' }],
  [
    'root names the element around a list of elements',
    { item: [1, 2] },
    '<r><item>1</item><item>2</item></r>',
    { root: 'r' },
  ],
  ['root names the element around a text', 'x', '<r>x</r>', { root: 'r' }],
  ['root is not added to a value that has one', { a: 1 }, '<a>1</a>', { root: 'r' }],
  ['a list of one can be the root', { a: ['x'] }, '<a>x</a>'],
  [
    'indent lays out elements, and never touches text',
    { a: { b: ' x ', c: [{ d: 1 }, ''], e: { '#text': 't', f: { g: 1 } } } },
    '<a>\n  <b> x </b>\n  <c>\n    <d>1</d>\n  </c>\n  <c/>\n  <e>t<f><g>1</g></f></e>\n</a>',
    { indent: 2 },
  ],
];
for (const [title, value, text, options] of shapes) {
  test(title, () => assert.equal(writeXml(value, { ...bare, ...options }), text));
}

test('indented documents keep their declaration on a line of its own', () => {
  assert.equal(
    writeXml({ a: { b: 1 } }, { indent: 1 }),
    '<?xml version="1.0" encoding="UTF-8"?>\n<a>\n <b>1</b>\n</a>',
  );
});

const circle: Record<string, unknown> = {};
circle.a = circle;
const refusals: readonly (readonly [string, unknown, string])[] = [
  ['several keys', { a: 1, b: 2 }, 'the value has 2 keys'],
  ['no key', {}, 'the value has 0 keys'],
  ['a list', [1, 2], 'the value is a list'],
  ['a text', 'x', 'the value is a string'],
  ['nothing', undefined, 'the value is nothing'],
  ['a list as root', { a: [1, 2] }, '"a" would make several'],
  ['text as root', { '#text': 'x' }, 'root'],
  ['a name with a blank', { a: { 'b c': 1 } }, '"b c"'],
  ['a name that begins with a digit', { a: { '1b': 1 } }, '"1b"'],
  ['an empty name', { a: { '': 1 } }, '""'],
  ['markup as a name', { 'a><b': 1 }, '"a><b"'],
  ['markup as an attribute name', { a: { '@x="1" y': 1 } }, '"@x=\\"1\\" y"'],
  ['a name with two colons', { 'a:b:c': 1 }, '"a:b:c"'],
  ['a prefix nobody declared', { a: { 'p:b': 1 } }, '@xmlns:p'],
  ['an attribute prefix nobody declared', { a: { '@p:b': 1 } }, '@xmlns:p'],
  ['a prefix out of its scope', { a: { b: { '@xmlns:p': 'u' }, 'p:c': 1 } }, '@xmlns:p'],
  ['a prefix bound to nothing', { a: { '@xmlns:p': '' } }, 'bound to nothing'],
  [
    'an attribute twice through two prefixes',
    { a: { '@xmlns:p': 'u', '@xmlns:q': 'u', '@p:x': 1, '@q:x': 2 } },
    'same attribute',
  ],
  ['__proto__ as a name', JSON.parse('{"a":{"__proto__":1}}'), '__proto__'],
  ['an object as an attribute', { a: { '@b': {} } }, '"@b"'],
  ['an object as text', { a: { '#text': {} } }, '"a"'],
  ['other keys with #', { a: { '#other': 1 } }, '"#other"'],
  ['a list inside a list', { a: { b: [[1]] } }, '"b" is a list inside a list'],
  ['children beside mixed content', { a: { '#mixed': ['x'], b: 1 } }, '#mixed'],
  ['two keys in a piece of mixed content', { a: { '#mixed': [{ b: 1, c: 2 }] } }, '#mixed'],
  ['a control character in text', { a: { b: 'x\u0000' } }, 'U+0000'],
  ['a control character in an attribute', { a: { '@b': '\u001f' } }, 'U+001F'],
  ['half of a surrogate pair', { a: 'x\ud800' }, 'U+D800'],
  ['U+FFFF', { a: '\uffff' }, 'U+FFFF'],
  ['a circle', circle, '200 levels'],
];
for (const [what, value, detail] of refusals) {
  test(`refused: ${what}`, () => refuses(() => writeXml(value), 'malformed', detail));
}

test('the refusal of a value without a root says what to do', () => {
  refuses(() => writeXml({ a: 1, b: 2 }), 'malformed', 'root: …');
});

test('200 levels are written, 201 are not', () => {
  let deep: unknown = 'x';
  for (let i = 0; i < 200; i += 1) deep = { a: deep };
  assert.ok(writeXml(deep));
  refuses(() => writeXml({ a: deep }), 'malformed', '200 levels');
});

test('twice as much is twice the work', () => {
  const makers: readonly ((n: number) => unknown)[] = [
    (n) => ({ a: { b: Array(n).fill({ '@x': 1, c: 'd&' }) } }),
    (n) => ({ a: Object.fromEntries(Array.from({ length: n }, (_, i) => [`@b${i}`, 'x'])) }),
    (n) => ({ a: { b: Array(n).fill({ '@xmlns:p': 'u', 'p:c': 'd' }) } }),
    (n) => ({ a: { '#mixed': Array(n).fill({ b: 'x' }) } }),
  ];
  for (const make of makers) {
    let reads = 0;
    const counted = (value: unknown): unknown =>
      typeof value !== 'object' || value === null
        ? value
        : new Proxy(value, {
            get(target, key) {
              reads += 1;
              return counted(Reflect.get(target, key));
            },
          });
    const work = (n: number): number => {
      reads = 0;
      const value = counted(make(n));
      return charactersLookedAt(() => writeXml(value)) + reads;
    };
    assert.ok(work(1000) > 1000);
    assert.ok(work(2000) <= 2.1 * work(1000) + 100);
  }
});
