/** Every integration that the documentation shows is valid, and so is every list of steps in the language guide. */
import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connectorDefinitions } from '../../connectors/index.ts';
import { prepare } from '../../src/cli/prepare.ts';
import { type Checked, renderJson, renderText } from '../../src/integration/render.ts';
import { steps } from '../../src/steps/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = globSync(['*.md', 'docs/*.md', 'connectors/*/README.md', 'integrations/**/*.md'], {
  cwd: root,
}).sort();

const folder = mkdtempSync(join(tmpdir(), 'dowel-docs-'));
after(() => rmSync(folder, { recursive: true }));
// What examples refer to.
writeFileSync(join(folder, 'order.schema.json'), '{ "type": "object" }\n');
for (const name of ['tls.crt', 'tls.key', 'clients.crt']) writeFileSync(join(folder, name), 'PEM\n');
const contracts = join(root, 'integrations/contract-first');
for (const name of ['api.yaml', 'inventory.yaml'])
  writeFileSync(join(folder, name), readFileSync(join(contracts, name)));
writeFileSync(join(folder, 'price.ts'), 'export default (): number => 1;\n');

/** Around a list of steps: the endpoints that the guide's examples call. */
const around = `dowel: 1
name: example
endpoints:
  stock: { http: { url: http://localhost:9101 } }
  payments: { http: { url: http://localhost:9102 } }
  audit: { file: { path: ./audit.jsonl } }
flows:
  example:
    from: { http: { path: /examples } }
    steps:
`;

const blocksIn = (page: string, language: string): readonly { readonly text: string; readonly line: number }[] => {
  const content = readFileSync(join(root, page), 'utf8');
  return [...content.matchAll(/^```(\w+)[^\n]*\n([\s\S]*?)^```$/gm)]
    .filter((match) => match[1] === language)
    .map(({ 2: text = '', index }) => ({ text, line: content.slice(0, index).split('\n').length + 1 }));
};

async function isValid(name: string, yaml: string): Promise<void> {
  const file = join(folder, 'integration.yaml');
  writeFileSync(file, yaml);
  const { diagnostics } = await prepare(file, { env: {}, config: 'optional' });
  assert.deepEqual(diagnostics, [], `${name}\n${renderText(diagnostics, file, { color: false })}`);
}

const isIntegration = (text: string): boolean => /^(?:#[^\n]*\n)*dowel: 1$/m.test(text.split('\n\n')[0] ?? '');

for (const page of pages) {
  for (const { text, line } of blocksIn(page, 'yaml')) {
    if (isIntegration(text)) test(`${page}:${line}`, () => isValid(`${page}:${line}`, text));
  }
}

for (const { text, line } of blocksIn('docs/language.md', 'yaml')) {
  if (isIntegration(text)) continue;
  test(`docs/language.md:${line}, steps`, () =>
    isValid(`docs/language.md:${line}`, `${around}${text.replaceAll(/^(?=.)/gm, '      ')}`));
}

test('the guide shows integrations and steps, and nothing else in YAML', () => {
  const blocks = blocksIn('docs/language.md', 'yaml').map(({ text }) => text);
  assert.ok(blocks.filter(isIntegration).length >= 2);
  assert.ok(blocks.filter((text) => text.startsWith('- ')).length >= 4);
  assert.ok(blocks.every((text) => isIntegration(text) || text.startsWith('- ')));
});

test('the guide names every step and every connector', () => {
  const guide = readFileSync(join(root, 'docs/language.md'), 'utf8');
  for (const { name } of steps) {
    const link = `[\`${name}\`](reference/steps.md#${name.toLowerCase()})`;
    assert.ok(guide.includes(link), `${name} is missing in the table of steps`);
  }
  const [, listed = ''] = /^The connectors are \[(.*)\]/m.exec(guide) ?? [];
  assert.deepEqual(listed.split(/, | and /), Object.keys(connectorDefinitions));
});

test('the guide shows diagnostics as they are', async () => {
  const [json] = blocksIn('docs/language.md', 'json');
  const [text] = blocksIn('docs/language.md', 'text');
  const shown = JSON.parse(json?.text ?? '{}') as { readonly files: readonly Checked[] };
  assert.equal(renderJson(shown.files), json?.text);
  const file = join(folder, 'shown.yaml');
  writeFileSync(file, `${'\n'.repeat(30)}      - respnd: { status: 200 }\n`);
  const diagnostics = shown.files[0]?.diagnostics ?? [];
  assert.equal(
    renderText(diagnostics, file, { color: false }).replaceAll(file, 'integration.yaml'),
    text?.text.trimEnd(),
  );
});
