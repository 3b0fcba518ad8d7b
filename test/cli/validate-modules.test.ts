import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { runDowel } from '../support/dowel-process.ts';
import { Project, serving } from './support/project.ts';

/** What `validate` says of a script whose module has this text; `script`: its other options. */
async function said(t: TestContext, name: string, text: string, script = ''): Promise<string> {
  const files = { 'integration.yaml': serving(`- script: { module: ./${name}${script} }`), [name]: text };
  const { folder: cwd } = new Project(t, files);
  const { code, stdout, stderr } = await runDowel(['validate', 'integration.yaml'], { cwd });
  assert.equal(stderr, '');
  assert.equal(code, stdout === 'integration.yaml: valid\n' ? 0 : 1);
  return stdout;
}

test('a module of a script that could not be loaded is told, with its line', async (t) => {
  const broken = await said(t, 'price.ts', 'const a = 1;\nexport default (order: {) => a;\n');
  assert.match(broken, /^integration\.yaml:9:27 error: This module cannot be read: .* \(.*price\.ts:2\)\n/);
  assert.match(broken, /\[bad-module\]/);
  const enumerated = await said(t, 'price.ts', 'enum Kind { a }\nexport default () => Kind.a;\n');
  assert.match(enumerated, /enum is not supported .*nothing is compiled: no enum, namespace or parameter property/);
});

test('a function that a module does not export is told, with those that it does', async (t) => {
  const near = await said(t, 'price.ts', 'export function price(order: unknown) { return order }\n', ', export: prise');
  assert.match(
    near,
    /^integration\.yaml:9:47 error: This module exports no function `prise`; it exports `price`; did you mean `price`\?/,
  );
  assert.match(near, /\[unknown-export\]/);
  const unnamed = await said(t, 'price.ts', 'export const price = (order: unknown) => order;\n');
  assert.match(unnamed, /exports no default function; it exports `price`\. Name it: `export: price`/);
  assert.match(await said(t, 'empty.js', '// later\n'), /exports no default function; it exports nothing/);
});

test('what cannot be seen without running it is not told', async (t) => {
  for (const [name, text, script = ''] of [
    ['a.ts', 'export default async (order: unknown): Promise<unknown> => order;'],
    ['b.ts', 'export * from "./elsewhere.ts";', ', export: price'],
    ['c.ts', 'const price = 1, tax = () => 2;\nexport { price, tax as duty };', ', export: duty'],
    ['d.ts', 'export const price = () => 1, tax = () => 2;', ', export: tax'],
    ['e.ts', 'export const { price } = { price: () => 1 };', ', export: price'],
    ['f.cjs', 'if (!process) return;\nmodule.exports = { price() {} };', ', export: price'],
    ['g.mjs', 'export async function* price() {}', ', export: price'],
    ['h.js', 'exports.price = () => 1;', ', export: price'],
    ['i.ts', 'export class Prices {}\nexport { default } from "./elsewhere.ts";'],
  ] as const) {
    assert.equal(await said(t, name, text, script), 'integration.yaml: valid\n', name);
  }
});
