/** One mistake in a file is one message, at its place, with its pointer and what to write instead. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { mistakesIn, workshop } from './support/mistakes.ts';

const groups = readdirSync(new URL('../fixtures/mistakes/', import.meta.url))
  .map((name) => name.replace('.txt', ''))
  .sort();
const { diagnose } = workshop();

for (const group of groups) {
  describe(group, () => {
    for (const { title, yaml, expected } of mistakesIn(group)) {
      test(title, async () => {
        assert.deepEqual(await diagnose(yaml), [expected]);
      });
    }
  });
}

describe('line ends', () => {
  for (const [name, end] of [
    ['CR LF', '\r\n'],
    ['CR', '\r'],
  ] as const) {
    test(`${name}: places are those of LF`, async () => {
      for (const { title, yaml, expected } of [...mistakesIn('expressions'), ...mistakesIn('keys')]) {
        assert.deepEqual(await diagnose(yaml.replaceAll('\n', end)), [expected], title);
      }
    });
  }
});

test('a byte order mark moves nothing', async () => {
  const [first] = mistakesIn('keys');
  assert.deepEqual(await diagnose(`\uFEFF${first?.yaml}`), [first?.expected]);
});

test('characters outside the basic plane count as two, as editors count them', async () => {
  const yaml = 'dowel: 1\nname: t\nlog: { "😀": 1, levl: info }\nflows: { f: { steps: [] } }\n';
  const found = (await diagnose(yaml)).find((one) => one.pointer === '/log/levl');
  assert.deepEqual([found?.line, found?.column, found?.endColumn], [3, 17, 21]);
});
