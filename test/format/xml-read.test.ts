import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readXml, type XmlOptions } from '../../src/format/xml-read.ts';
import { charactersLookedAt, latin1, refuses, utf8, utf16be, utf16le } from './support.ts';

const read = (text: string, options?: XmlOptions): unknown => readXml(utf8(text), undefined, options);

const shapes: readonly (readonly [string, string, unknown, XmlOptions?])[] = [
  ['the root element is the single key', '<order><id>7</id></order>', { order: { id: '7' } }],
  ['an element with text is that text', '<a>x</a>', { a: 'x' }],
  ['an empty element is the empty text', '<a><b/><c></c></a>', { a: { b: '', c: '' } }],
  ['attributes have an @', '<a id="1" b="x"/>', { a: { '@id': '1', '@b': 'x' } }],
  ['text beside attributes is #text', '<a id="1">x</a>', { a: { '@id': '1', '#text': 'x' } }],
  ['text beside children is #text', '<a>x<b/></a>', { a: { b: '', '#text': 'x' } }],
  [
    'repeated elements are a list, also when others stand between',
    '<a><b>1</b><c/><b>2</b></a>',
    { a: { b: ['1', '2'], c: '' } },
  ],
  ['nothing is coerced', '<a><b>007</b><c>true</c><d>1.10</d></a>', { a: { b: '007', c: 'true', d: '1.10' } }],
  ['CDATA is text', '<a>1 <![CDATA[<b> & ]]]]><![CDATA[>]]></a>', { a: '1 <b> & ]]>' }],
  [
    'comments and processing instructions go, without splitting text',
    '<?x?><a>o<!-- - -->n<?y z?>e</a><!--e-->',
    { a: 'one' },
  ],
  ['white space between elements goes', '<a>\n  <b>1</b>\n\t<c>2</c>\r\n</a>\n', { a: { b: '1', c: '2' } }],
  [
    'the text of a leaf is kept exactly',
    '<a><b> x \n</b><c> </c><d e="1"> </d></a>',
    { a: { b: ' x \n', c: ' ', d: { '@e': '1', '#text': ' ' } } },
  ],
  [
    'character references are their characters',
    '<a b="&#10;&#x9;&quot;">&#x41;&lt;&amp;&gt;&apos;&#128512;</a>',
    { a: { '@b': '\n\t"', '#text': "A<&>'😀" } },
  ],
  ['line ends are one, a referenced carriage return stays', '<a>1\r\n2\r3&#13;</a>', { a: '1\n2\n3\r' }],
  [
    'prefixes stay as written, and so do declarations',
    '<p:a xmlns:p="urn:p" xmlns="urn:d" p:x="1"><b/></p:a>',
    { 'p:a': { '@xmlns:p': 'urn:p', '@xmlns': 'urn:d', '@p:x': '1', b: '' } },
  ],
  ['xml:lang needs no declaration', '<a xml:lang="en"/>', { a: { '@xml:lang': 'en' } }],
  [
    'names that objects inherit are names like others',
    '<a><constructor/><toString>1</toString><toString>2</toString><valueOf/></a>',
    { a: { constructor: '', toString: ['1', '2'], valueOf: '' } },
  ],
  [
    'arrays make always a list',
    '<order><item>1</item></order>',
    { order: { item: ['1'] } },
    { arrays: ['order.item', 'order.none'] },
  ],
  [
    'arrays make lists on the way down',
    '<o><i><s>1</s></i><i><s>2</s></i></o>',
    { o: { i: [{ s: ['1'] }, { s: ['2'] }] } },
    { arrays: ['o.i.s'] },
  ],
  [
    'a path of arrays counts from the root only',
    '<o><p><i>1</i></p></o>',
    { o: { p: { i: '1' } } },
    { arrays: ['o.i', 'i', 'p.i'] },
  ],
  ['a dot inside a name is escaped in arrays', '<o><a.b>1</a.b></o>', { o: { 'a.b': ['1'] } }, { arrays: ['o.a\\.b'] }],
  ['the root can be a list too', '<o/>', { o: [''] }, { arrays: ['o'] }],
  [
    'namespaces give elements and attributes the declared prefix',
    '<q:o xmlns:q="urn:a" q:z="1" y="2"><i xmlns="urn:a"/></q:o>',
    { 'p:o': { '@p:z': '1', '@y': '2', 'p:i': '' } },
    { namespaces: { p: 'urn:a' } },
  ],
  [
    'the empty prefix gives bare names',
    '<q:o xmlns:q="urn:a"><q:i/></q:o>',
    { o: { i: '' } },
    { namespaces: { '': 'urn:a' } },
  ],
  [
    'attributes of a namespace that is bare keep their own prefix',
    '<q:o xmlns:q="urn:a" q:x="1"/>',
    { o: { '@xmlns:q': 'urn:a', '@q:x': '1' } },
    { namespaces: { '': 'urn:a' } },
  ],
  [
    'attributes take the prefix where elements go without',
    '<q:o xmlns:q="urn:a" q:x="1"/>',
    { o: { '@p:x': '1' } },
    { namespaces: { '': 'urn:a', p: 'urn:a' } },
  ],
  [
    'other namespaces stay as they are written',
    '<q:o xmlns:q="urn:a"><r:i xmlns:r="urn:b"/></q:o>',
    { 'p:o': { 'r:i': { '@xmlns:r': 'urn:b' } } },
    { namespaces: { p: 'urn:a' } },
  ],
  [
    'a prefix that changes its meaning is followed',
    '<x:a xmlns:x="urn:1"><x:a xmlns:x="urn:2"><x:a/></x:a><x:a/></x:a>',
    { 'p:a': { 'q:a': { 'q:a': '' }, 'p:a': '' } },
    { namespaces: { p: 'urn:1', q: 'urn:2' } },
  ],
  [
    'paths of arrays use the declared prefixes',
    '<q:o xmlns:q="urn:a"><q:i/></q:o>',
    { 'p:o': { 'p:i': [''] } },
    { namespaces: { p: 'urn:a' }, arrays: ['p:o.p:i'] },
  ],
  [
    'mixed keeps the order',
    '<p>Hello <b>big</b> <i k="1">w</i>!</p>',
    { p: { '#mixed': ['Hello ', { b: 'big' }, ' ', { i: { '@k': '1', '#text': 'w' } }, '!'] } },
    { mixed: true },
  ],
  [
    'mixed keeps attributes beside the list',
    '<p x="1">a<b/></p>',
    { p: { '@x': '1', '#mixed': ['a', { b: '' }] } },
    { mixed: true },
  ],
  [
    'mixed leaves elements without text between them alone',
    '<o>\n <a>1</a>\n <a>2</a>\n</o>',
    { o: { a: ['1', '2'] } },
    { mixed: true },
  ],
  ['without mixed the texts are joined', '<p>a<b/>c<b/>d</p>', { p: { b: ['', ''], '#text': 'acd' } }],
  [
    'coerce reads what would be written the same way',
    '<a n="-1"><b>true</b><c>2.5</c><d>0</d><e>false</e></a>',
    { a: { '@n': -1, b: true, c: 2.5, d: 0, e: false } },
    { coerce: true },
  ],
  [
    'coerce leaves the rest',
    '<a><b>007</b><c>1.10</c><d>-0</d><e>1e3</e><f>9007199254740993</f><g/><h>Infinity</h><i>-Infinity</i><j> 1</j><k>0x1</k><l>NaN</l></a>',
    {
      a: {
        b: '007',
        c: '1.10',
        d: '-0',
        e: '1e3',
        f: '9007199254740993',
        g: '',
        h: 'Infinity',
        i: '-Infinity',
        j: ' 1',
        k: '0x1',
        l: 'NaN',
      },
    },
    { coerce: true },
  ],
  ['XML 1.1 is read by the rules of 1.0', '<?xml version="1.1"?><a>x</a>', { a: 'x' }],
  ['names may use other alphabets', '<größe><数>1</数></größe>', { größe: { 数: '1' } }],
];
for (const [title, text, value, options] of shapes) {
  test(title, () => assert.deepEqual(read(text, options), value));
}

const refusals: readonly (readonly [string, string, string | RegExp])[] = [
  ['nothing at all', '', 'root element'],
  ['no element', '<?xml version="1.0"?>  ', 'root element'],
  ['text alone', 'hello', 'outside of root'],
  ['JSON', '{"a":1}', 'outside of root'],
  ['elements that overlap', '<a><b></a></b>', 'line 1, column 10: <b> is not closed'],
  ['an element that does not end', '<a><b>', 'unclosed tag'],
  ['an end without a start', '<a/></a>', 'unmatched'],
  ['several roots', '<a/><b/>', 'one root'],
  ['text after the root', '<a/>x', 'outside of root'],
  ['an attribute without quotes', '<a b=1/>', 'unquoted'],
  ['an attribute without a value', '<a b/>', /disallowed|without value/],
  ['an attribute given twice', '<a b="1" b="2"/>', 'duplicate attribute'],
  ['an attribute given twice through two prefixes', '<a xmlns:p="u" xmlns:q="u" p:x="1" q:x="2"/>', 'there twice'],
  ['a bare ampersand', '<a>a & b</a>', 'written &amp;'],
  ['a bare ampersand before a semicolon', '<a>a & b;</a>', 'written &amp;'],
  ['a bare < in an attribute', '<a b="<"/>', 'disallowed'],
  [']]> in text', '<a>]]></a>', ']]>'],
  ['a comment with -- in it', '<a><!-- -- --></a>', 'comment'],
  ['an XML declaration that is not first', ' <?xml version="1.0"?><a/>', 'start of the document'],
  ["an entity of one's own", '<a>&company;</a>', 'undefined entity'],
  ['a document type', '<!DOCTYPE a><a/>', 'document type'],
  ['a document type with a file', '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', 'document type'],
  [
    'an entity bomb',
    '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]><l>&c;</l>',
    'document type',
  ],
  ['an external entity', '<!DOCTYPE r [<!ENTITY x SYSTEM "http://127.0.0.1/">]><r>&x;</r>', 'document type'],
  ['a reference to a character that XML cannot hold', '<a>&#0;</a>', 'character entity'],
  ['a reference to a surrogate', '<a>&#xD800;</a>', 'character entity'],
  ['a control character', '<a>\u0001</a>', 'disallowed character'],
  ['U+FFFE', '<a>\ufffe</a>', 'disallowed character'],
  ['an element with an unbound prefix', '<p:a/>', 'prefix p of p:a is not declared'],
  ['an attribute with an unbound prefix', '<a p:b="1"/>', 'prefix p of p:b is not declared'],
  ['a prefix out of its scope', '<a><b xmlns:p="u"/><p:c/></a>', 'prefix p of p:c is not declared'],
  ['a prefix bound to nothing', '<a xmlns:p=""/>', 'cannot be bound to nothing'],
  ['another meaning for xml', '<a xmlns:xml="urn:x"/>', 'prefix xml'],
  ['a declaration of xmlns', '<a xmlns:xmlns="urn:x"/>', 'xmlns'],
  ['an element in xmlns', '<xmlns:a/>', 'not declared'],
  ['a name with two colons', '<a:b:c xmlns:a="u"/>', 'not a name'],
  ['a name that ends with a colon', '<a: xmlns:a="u"/>', 'not a name'],
  ['a name that begins with a digit', '<1a/>', 'tag name'],
  ['an element called __proto__', '<a><__proto__/></a>', '__proto__'],
  ['an attribute called __proto__', '<a __proto__="1"/>', '__proto__'],
  ['__proto__ behind a prefix', '<p:__proto__ xmlns:p="u"/>', '__proto__'],
  ['10,000 levels', '<a>'.repeat(10_000) + '</a>'.repeat(10_000), '200 levels'],
  ['201 levels', '<a>'.repeat(201) + '</a>'.repeat(201), '200 levels'],
];
for (const [what, text, detail] of refusals) {
  test(`refused: ${what}`, () => refuses(() => read(text), 'malformed', detail, /line \d+, column [1-9]/));
}

test('200 levels are read', () => {
  assert.ok(read('<a>'.repeat(200) + '</a>'.repeat(200)));
});

test('a mistake is named with its line and column', () => {
  refuses(() => read('<a>\n  <b>\n  </c>\n</a>'), 'malformed', 'line 3, column 6: <b> is not closed');
});

test('a prefix that the document uses for something else than `namespaces` does is refused, not mixed up', () => {
  const options = { namespaces: { p: 'urn:declared' } };
  refuses(() => read('<p:a xmlns:p="urn:other"/>', options), 'malformed', 'urn:other', 'namespaces');
  refuses(() => read('<a xmlns:p="urn:other" p:x="1"/>', options), 'malformed', 'urn:other');
  refuses(() => read('<a xmlns="urn:other"/>', { namespaces: { '': 'urn:declared' } }), 'malformed', 'urn:other');
  assert.deepEqual(read('<a xmlns:p="urn:other"/>', options), { a: { '@xmlns:p': 'urn:other' } });
});

test('reading changes no prototype', () => {
  read('<constructor><prototype><polluted>1</polluted></prototype></constructor>');
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

const head = (encoding: string): string => `<?xml version="1.0" encoding="${encoding}"?>`;
const charsets: readonly (readonly [string, Uint8Array, string | undefined])[] = [
  ['UTF-8 when nothing is said', utf8('<a>ä€</a>'), undefined],
  ['the byte order mark of UTF-8', utf8('\ufeff<a>ä€</a>'), undefined],
  ['the byte order mark of UTF-16, little end first', utf16le(`\ufeff${head('UTF-16')}<a>ä€</a>`), undefined],
  ['the byte order mark of UTF-16, big end first', utf16be(`\ufeff${head('UTF-16')}<a>ä€</a>`), undefined],
  ['UTF-16 without a mark, little end first', utf16le('<a>ä€</a>'), undefined],
  ['UTF-16 without a mark, big end first', utf16be(`${head('UTF-16BE')}<a>ä€</a>`), undefined],
  ['the content type', utf16le('<a>ä€</a>'), 'utf-16le'],
  ['the content type before the declaration', utf8(`${head('ISO-8859-1')}<a>ä€</a>`), 'utf-8'],
  ['the mark before the content type', utf8('\ufeff<a>ä€</a>'), 'iso-8859-1'],
  [
    'the declaration',
    Buffer.concat([latin1(`${head('windows-1252')}<a>ä`), Buffer.from([0x80]), latin1('</a>')]),
    undefined,
  ],
  ['UTF-8 where the declaration of UTF-16 cannot be true', utf8(`${head('utf-16')}<a>ä€</a>`), undefined],
];
for (const [title, bytes, charset] of charsets) {
  test(`charset: ${title}`, () => assert.deepEqual(readXml(bytes, charset), { a: 'ä€' }));
}

test('invalid bytes are refused, never replaced', () => {
  refuses(
    () => readXml(Buffer.concat([utf8('<a>'), Buffer.from([0xe4]), utf8('</a>')])),
    'malformed',
    'UTF-8',
    'byte 4',
  );
});

test('a charset nobody knows is an unsupported media type', () => {
  refuses(() => readXml(utf8(`${head('x-klingon')}<a/>`)), 'unsupported-media-type', 'x-klingon');
});

const repeated: readonly (readonly [string, (n: number) => string])[] = [
  ['elements', (n) => `<a>${'<b>x</b>'.repeat(n)}</a>`],
  ['different elements', (n) => `<a>${Array.from({ length: n }, (_, i) => `<b${i}/>`).join('')}</a>`],
  ['attributes', (n) => `<a ${Array.from({ length: n }, (_, i) => `b${i}="1"`).join(' ')}/>`],
  ['declarations', (n) => `<a>${Array.from({ length: n }, (_, i) => `<p${i}:b xmlns:p${i}="u"/>`).join('')}</a>`],
  [
    'declarations on one element',
    (n) => `<a ${Array.from({ length: n }, (_, i) => `xmlns:p${i}="u"`).join(' ')}>${'<p0:b/>'.repeat(n)}</a>`,
  ],
  [
    'declarations deep down',
    (n) => `${'<x xmlns:q="v">'.repeat(150)}${'<b xmlns:p="u"><p:c/></b>'.repeat(n)}${'</x>'.repeat(150)}`,
  ],
  ['references', (n) => `<a>${'&amp;'.repeat(n)}</a>`],
  ['comments in text', (n) => `<a>${' <!-- -->'.repeat(n)}</a>`],
  ['CDATA sections', (n) => `<a>${'<![CDATA[]]]]>'.repeat(n)}</a>`],
  ['mixed pieces', (n) => `<a>${'x<b/> '.repeat(n)}</a>`],
];
for (const [what, document] of repeated) {
  for (const options of [undefined, { mixed: true, namespaces: { z: 'u' }, arrays: ['a.b'] }]) {
    test(`twice as many ${what} are twice the work${options === undefined ? '' : ', with options'}`, () => {
      const work = (n: number): number => charactersLookedAt(() => read(document(n), options));
      // Numbered names are longer the more there are, hence a little more than twice.
      assert.ok(work(2000) <= 2.3 * work(1000) + 1000);
    });
  }
}
