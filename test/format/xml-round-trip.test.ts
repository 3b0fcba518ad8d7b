import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readXml, type XmlOptions } from '../../src/format/xml-read.ts';
import { writeXml } from '../../src/format/xml-write.ts';
import { seeded, utf8 } from './support.ts';

const letters = [
  'a',
  'Z',
  ' ',
  '\n',
  '\t',
  '\r',
  '&',
  '<',
  '>',
  '"',
  "'",
  ']]>',
  '&amp;',
  '&#x41;',
  'ä',
  '数',
  '😀',
  '\u2028',
  '\u0085',
  '0',
];
const names = ['a', 'b', 'item', 'größe', 'x-1', '_y', 'constructor', 'toString', 'xmlish', 'a.b'];

/** Makes values in the form that reading gives: no lists of one, no empty objects, nothing but text at the leaves. */
function generator(seed: number, mixed: boolean) {
  const random = seeded(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  const text = (): string => Array.from({ length: below(6) }, () => pick(letters)).join('');
  const visible = (): string => `${text()}x${text()}`;

  const element = (depth: number): unknown => {
    if (depth > 4 || random() < 0.4) return text();
    const made: Record<string, unknown> = {};
    for (let i = below(3); i > 0; i -= 1) made[`@${pick(names)}`] = text();
    if (mixed && random() < 0.3) {
      made['#mixed'] = [
        ...Array.from({ length: 1 + below(3) }, () => [text(), { [pick(names)]: element(depth + 1) }]).flat(),
        visible(),
      ].filter((piece) => piece !== '');
      return made;
    }
    const children = below(4);
    for (let i = 0; i < children; i += 1) {
      const list = Array.from({ length: 2 + below(3) }, () => element(depth + 1));
      made[pick(names)] = random() < 0.3 ? list : element(depth + 1);
    }
    if (Object.keys(made).length === 0) return text();
    if (children === 0) {
      const own = text();
      return own === '' ? made : { ...made, '#text': own };
    }
    return !mixed && random() < 0.3 ? { ...made, '#text': visible() } : made;
  };
  return (): Readonly<Record<string, unknown>> => ({ [pick(names)]: element(0) });
}

const variants: readonly (readonly [string, XmlOptions])[] = [
  ['as it is', {}],
  ['indented', { indent: 2 }],
  ['without a declaration', { declaration: false }],
  ['in a default namespace', { namespaces: { '': 'urn:d' } }],
  ['with mixed content', { mixed: true }],
  ['with mixed content, indented', { mixed: true, indent: 1 }],
];
for (const [title, options] of variants) {
  test(`a value survives being written and read, ${title}`, () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const make = generator(seed, options.mixed === true);
      for (let round = 0; round < 10; round += 1) {
        const value = make();
        const document = writeXml(value, options);
        assert.deepEqual(readXml(utf8(document), undefined, options), value, `seed ${seed}: ${document}`);
      }
    }
  });
}

const documents: readonly (readonly [string, XmlOptions?])[] = [
  ['<p:a xmlns:p="urn:p" xmlns="urn:d" p:x="1"><b xmlns="">t</b><p:c xmlns:p="urn:q"/></p:a>'],
  ['<a b="&#10;&#9;&#13; &quot;">1&#13;\n2 &lt;&amp;&gt; ]]&gt;</a>'],
  ['<a>&#x41;&#38;amp;</a>'],
  ['<a><n>007</n><n>1.10</n></a>'],
  [
    '<q:o xmlns:q="urn:a" xmlns:r="urn:b" q:z="1"><r:i r:k="2"/><q:i xmlns:r="urn:c"><r:i/></q:i></q:o>',
    { namespaces: { p: 'urn:a' } },
  ],
  ['<q:o xmlns:q="urn:a" q:z="1"><q:i q:z="2"/></q:o>', { namespaces: { '': 'urn:a' } }],
  ['<p xml:space="preserve">Hello <b>big</b>\n<i>w</i> !</p>', { mixed: true }],
  ['<o><i>1</i></o>', { arrays: ['o.i'] }],
  ['<o><i>1</i><j>true</j><k>007</k></o>', { coerce: true }],
];
for (const [document, options] of documents) {
  test(`a document means the same after being read and written: ${document}`, () => {
    const value = readXml(utf8(document), undefined, options);
    const again = writeXml(value, options);
    assert.deepEqual(readXml(utf8(again), undefined, options), value);
    assert.deepEqual(
      readXml(utf8(again), undefined, { namespaces: { '1': 'urn:a', '2': 'urn:b', '3': 'urn:c' } }),
      readXml(utf8(document), undefined, { namespaces: { '1': 'urn:a', '2': 'urn:b', '3': 'urn:c' } }),
      'the namespaces are the same too',
    );
  });
}
