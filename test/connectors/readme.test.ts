import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepare } from '../../src/cli/prepare.ts';
import { root } from '../support/child-process.ts';

/** Fenced YAML: whole integrations, or the endpoints and flows of one. */
const examples = (page: string): readonly string[] =>
  [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)]
    .map(([, yaml = '']) => yaml)
    .map((yaml) => (yaml.startsWith('dowel:') ? yaml : `dowel: 1\nname: example\n${yaml}`));

for (const file of globSync('connectors/*/README.md', { cwd: root })) {
  test(`every example of ${file} is valid`, async () => {
    const yamls = examples(readFileSync(join(root, file), 'utf8'));
    assert.ok(yamls.length > 0, 'it has examples');
    const folder = mkdtempSync(join(tmpdir(), 'dowel-readme-'));
    for (const yaml of yamls) {
      const path = join(folder, 'integration.yaml');
      writeFileSync(path, yaml);
      const { diagnostics } = await prepare(path, { env: {}, config: 'optional' });
      const found = diagnostics.map((one) => `${one.line}:${one.column} ${one.severity}: ${one.message}`);
      assert.deepEqual(found, [], yaml);
    }
    rmSync(folder, { recursive: true });
  });
}

test('every connector has a page', () => {
  assert.deepEqual(
    globSync('connectors/*/README.md', { cwd: root }).length,
    globSync('connectors/*/index.ts', { cwd: root }).length,
  );
});
