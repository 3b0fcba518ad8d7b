import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Failure } from '../../src/errors.ts';
import { functionNames } from '../../src/expression/expression.ts';
import { fastFunctions } from '../../src/expression/fast-functions.ts';
import { compileTemplate } from '../../src/expression/template.ts';
import { parseYaml } from '../../src/integration/yaml.ts';
import { plainValue } from '../../src/schema/node.ts';
import { evaluate, scopeOf } from './support.ts';

const page = readFileSync(new URL('../../docs/expressions.md', import.meta.url), 'utf8');
const fences = [...page.matchAll(/^```(\w+)(?: (\w+))?\n([\s\S]*?)^```$/gm)].map(([, language, use, text = '']) => ({
  language,
  use,
  text: text.trimEnd(),
}));
const message: unknown = JSON.parse(fences.find((fence) => fence.use === 'message')?.text ?? 'null');
const examples = fences.filter((fence) => fence.use !== 'message');

async function filled(value: unknown, mode: 'value' | 'path'): Promise<unknown> {
  const problem = ({ message: what }: { message: string }): never => assert.fail(what);
  return compileTemplate(value, mode, problem).evaluate(scopeOf(message));
}

function run(example: (typeof fences)[number]): Promise<unknown> {
  if (example.language === 'jsonata') return evaluate(example.text, message);
  if (example.language === 'path') return filled(example.text, 'path');
  const { root, findings } = parseYaml(example.text);
  assert.deepEqual(findings, []);
  return filled(root && plainValue(root), 'value');
}

test('the page has its examples in pairs', () => {
  assert.equal(examples.length % 2, 0);
  assert.equal(fences.length * 2, [...page.matchAll(/^```/gm)].length);
  assert.ok(examples.length >= 50);
});

for (let at = 0; at + 1 < examples.length; at += 2) {
  const given = examples[at];
  const expected = examples[at + 1];
  if (!given || !expected) continue;
  test(`docs/expressions.md: ${given.text.replaceAll(/\s+/g, ' ')}`, async () => {
    if (expected.language === 'error') {
      const isExpected = (error: unknown): boolean => error instanceof Failure && error.code === expected.text;
      await assert.rejects(run(given), isExpected);
      return;
    }
    const value = await run(given);
    assert.deepEqual(value, expected.language === 'nothing' ? undefined : JSON.parse(expected.text));
  });
}

test('the functions that the page calls compiled are', () => {
  const [, list = ''] = /the common functions \(([^)]*)\)/.exec(page) ?? [];
  const named = [...list.matchAll(/\$(\w+)/g)].map(([, name = '']) => name);
  assert.ok(named.length > 20);
  const compiled = new Set([...fastFunctions.keys(), 'now', 'millis', 'uuid', 'random']);
  assert.deepEqual(
    named.filter((name) => !compiled.has(name)),
    [],
  );
  const unnamed = [...compiled].filter((name) => !named.includes(name) && !name.startsWith('substring'));
  assert.deepEqual(unnamed, []);
  for (const name of named) assert.ok(functionNames.has(name), name);
});
