import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { prepare } from '../../src/cli/prepare.ts';
import { limits } from '../../src/store/store.ts';
import { root } from '../support/child-process.ts';
import { fences } from '../support/page.ts';

const page = readFileSync(join(root, 'docs', 'store.md'), 'utf8');

const flows = `
flows:
  nothing:
    from:
      timer: { every: 1h }
    steps:
      - log: { message: nothing }
`;

describe('the page on the store', () => {
  test('every example of it is valid', async (t) => {
    const examples = fences(page).filter((one) => one.language === 'yaml');
    assert.deepEqual(
      examples.map((one) => /^ {2}(sqlite|redis|postgres):/m.exec(one.text)?.[1]),
      ['sqlite', 'redis', 'postgres'],
    );
    const folder = mkdtempSync(join(tmpdir(), 'dowel-store-page-'));
    t.after(() => rmSync(folder, { recursive: true }));
    for (const { text } of examples) {
      const path = join(folder, 'integration.yaml');
      writeFileSync(path, `dowel: 1\nname: example\n${text}${flows}`);
      const { diagnostics } = await prepare(path, { env: {}, config: 'optional' });
      const found = diagnostics.map((one) => `${one.line}:${one.column} ${one.severity}: ${one.message}`);
      assert.deepEqual(found, [], text);
    }
  });

  test('the sizes that it names are those of the code', () => {
    const [, key, value] = /keys up to (\d+) kB and values up to (\d+) MB/.exec(page) ?? [];
    assert.equal(Number(key) * 1024, limits.key);
    assert.equal(Number(value) * 1024 ** 2, limits.value);
  });
});
