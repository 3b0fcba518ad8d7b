/** The page on security: the tests that it shows pass, on the integration that it shows; it names all there is. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { authOptions } from '../../connectors/http/auth/options.ts';
import { outgoingOptions } from '../../connectors/http/auth/outgoing-options.ts';
import { root } from '../support/child-process.ts';
import { runDowel } from '../support/dowel-process.ts';

const page = readFileSync(join(root, 'docs/security.md'), 'utf8');
const blocks = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);

const folder = mkdtempSync(join(tmpdir(), 'dowel-security-'));
after(() => rmSync(folder, { recursive: true }));

test('the tests that it shows pass', async () => {
  const [integration = ''] = blocks;
  const shown = blocks.find((text) => text.startsWith('dowelTest: 1'));
  assert.ok(shown);
  writeFileSync(join(folder, 'integration.yaml'), integration);
  writeFileSync(join(folder, 'integration.test.yaml'), shown);
  const { code, stdout } = await runDowel(['test'], { cwd: folder });
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^1 passed /m);
});

test('it names every way in, and every way out', () => {
  for (const name of Object.keys(authOptions.properties))
    assert.ok(page.includes(`\`${name}`) || page.includes(`{ ${name}:`), name);
  for (const name of Object.keys(outgoingOptions))
    assert.ok(page.includes(`{ ${name}`) || page.includes(`\`${name}\``), name);
});
