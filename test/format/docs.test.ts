import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { formatNamed, formats } from '../../src/format/index.ts';
import { utf8 } from './support.ts';

const page = readFileSync(new URL('../../docs/formats.md', import.meta.url), 'utf8');

interface Fence {
  readonly language: string;
  readonly writes: boolean;
  readonly options: object | undefined;
  readonly text: string;
}

const fences: readonly Fence[] = [...page.matchAll(/^```(\w+)(?: (read|write))?(?: (\{.*\}))?\n([\s\S]*?)^```$/gm)].map(
  ([, language = '', direction, options, text = '']) => ({
    language,
    writes: direction === 'write',
    options: options === undefined ? undefined : (JSON.parse(options) as object),
    text,
  }),
);

test('the page has its examples in pairs', () => {
  assert.equal(fences.length % 2, 0);
  assert.equal(fences.length * 2, [...page.matchAll(/^```/gm)].length);
  assert.ok(fences.length >= 24);
});

for (let i = 0; i + 1 < fences.length; i += 2) {
  const given = fences[i];
  const expected = fences[i + 1];
  if (given === undefined || expected === undefined) continue;
  test(`docs/formats.md, example ${i / 2 + 1}: ${given.text.split('\n')[0]}`, () => {
    if (given.writes) {
      const written = formatNamed(expected.language)?.write(JSON.parse(given.text), given.options);
      assert.equal(written, expected.text.trimEnd());
      return;
    }
    const text = given.language === 'form' ? given.text.trimEnd() : given.text;
    const value = formatNamed(given.language)?.read(utf8(text), undefined, given.options);
    assert.deepEqual(value, JSON.parse(expected.text));
  });
}

test('the page names every option of every format', () => {
  for (const format of formats) {
    const { properties } = format.options as { readonly properties: object };
    for (const option of Object.keys(properties)) assert.ok(page.includes(`\`${option}\``), `${format.name}.${option}`);
  }
});
