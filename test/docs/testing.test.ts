/** The guide to tests: what it shows passes, and `dowel test` is as it says. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { root } from '../support/child-process.ts';
import { runDowel } from '../support/dowel-process.ts';

const guide = readFileSync(join(root, 'docs/testing.md'), 'utf8');
const blocks = [...guide.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
const [integration = '', first = '', ...others] = blocks;
const head = first.slice(0, first.indexOf('tests:\n'));

const folder = mkdtempSync(join(tmpdir(), 'dowel-guide-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'integration.yaml'), integration);

test('all tests that it shows pass, and none is shown that is not run', async () => {
  assert.match(integration, /^dowel: 1$/m);
  assert.match(first, /^dowelTest: 1$/m);
  assert.ok(others.length >= 3);
  writeFileSync(join(folder, 'first.test.yaml'), first);
  for (const [index, text] of others.entries()) {
    assert.match(text, /^tests:\n/);
    writeFileSync(join(folder, `other-${index}.test.yaml`), head + text);
  }
  const { code, stdout } = await runDowel(['test'], { cwd: folder });
  assert.equal(code, 0, stdout);
  const names = [...guide.matchAll(/^ {2}- name: (.*)$/gm)].map(([, name = '']) => name);
  for (const name of names) assert.ok(stdout.includes(`✓ ${name} `), name);
});

test('a failure looks as it shows', async () => {
  const [, shown = ''] = /^```text\n\$ dowel test\n([\s\S]*?)^```$/m.exec(guide) ?? [];
  const failing = join(folder, 'failing');
  writeFileSync(`${failing}.yaml`, integration.replace('$found.available < quantity', '$found.available < 0'));
  const tests = first.slice(0, first.indexOf('\n  - name: the money'));
  writeFileSync(
    join(folder, 'integration.test.yaml'),
    `${tests.replace('./integration.yaml', './failing.yaml').replace(', calls: { payments: [] }', '')}\n`,
  );
  const { code, stdout } = await runDowel(['test', 'integration.test.yaml'], { cwd: folder });
  assert.equal(code, 1);
  const plain = (text: string): string =>
    text.replaceAll(/\d+ ms(?= *$|\)$)/gm, 'N ms').replaceAll(/:\d+:\d+$/gm, ':L:C');
  assert.equal(plain(stdout), plain(shown));
});
