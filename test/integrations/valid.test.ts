import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { root } from '../support/child-process.ts';
import { runDowel } from '../support/dowel-process.ts';
import { examples, folder } from './example.ts';

test('every example is valid, without warnings', async () => {
  const files = globSync('integrations/**/integration.yaml', { cwd: root });
  assert.ok(files.length >= 11);
  const { code, stdout, stderr } = await runDowel(['validate', '--strict', 'integrations/**/integration.yaml']);
  assert.equal(code, 0, stdout + stderr);
  assert.deepEqual(stdout.trim().split('\n').sort(), files.map((file) => `${file}: valid`).sort());
});

test('every example names the schema for editors, where it is', () => {
  for (const file of globSync('integrations/**/integration.yaml', { cwd: root })) {
    const named = /^# yaml-language-server: \$schema=(\S+)\n/.exec(readFileSync(join(root, file), 'utf8'))?.[1];
    assert.equal(join(dirname(file), named ?? ''), 'schemas/integration.schema.json', file);
  }
});

test('no two examples want the same port', () => {
  const files = globSync('integrations/**/integration.yaml', { cwd: root });
  // Those that are spoken to over a broker want none.
  const ports = files.flatMap((file) => /default: (\d{4}) /.exec(readFileSync(join(root, file), 'utf8'))?.[1] ?? []);
  assert.equal(new Set(ports).size, ports.length, ports.join(' '));
});

test('the page of all examples has each one', () => {
  const page = readFileSync(join(folder, 'README.md'), 'utf8');
  for (const name of examples) assert.match(page, new RegExp(`\\(${name}/README\\.md\\)`));
  for (const file of globSync('backends/*/integration.yaml', { cwd: folder })) {
    assert.ok(page.includes(`\`${dirname(file).replace('backends/', '')}\``), file);
  }
});
