/** The schema for editors and the reader of test files come from one literal: what the one takes the other takes. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { load } from 'js-yaml';
import { compileJsonSchema } from '../../src/schema/validator.ts';
import { root } from '../support/child-process.ts';

const check = compileJsonSchema(JSON.parse(readFileSync(join(root, 'schemas/test.schema.json'), 'utf8')));
const read = (file: string): unknown => load(readFileSync(join(root, file), 'utf8'));

test('it takes the tests of all examples and templates', () => {
  const files = globSync('{integrations,src/cli/templates}/**/*.test.yaml', { cwd: root });
  assert.ok(files.length >= 15);
  for (const file of files) assert.deepEqual(check(read(file)), [], file);
});

test('it refuses what the reader refuses', () => {
  const good = read('src/cli/templates/http/integration.test.yaml') as Readonly<Record<string, unknown>>;
  const [first] = good['tests'] as readonly Readonly<Record<string, unknown>>[];
  for (const wrong of [
    { ...good, test: [] },
    { ...good, tests: [] },
    { ...good, tests: [{ ...first, send: undefined, sned: {} }] },
    { ...good, tests: [{ ...first, endpoints: { far: [{ reply: {}, hang: true }] } }] },
    { ...good, tests: [{ ...first, endpoints: { far: [{ reply: {}, delay: 5 }] } }] },
    { ...good, tests: [{ ...first, expect: { breaker: { far: 'opened' } } }] },
  ]) {
    assert.notDeepEqual(check(JSON.parse(JSON.stringify(wrong))), []);
  }
});
