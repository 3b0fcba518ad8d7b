/** The tests that stand beside the examples: all of them pass, and they notice when the example is broken. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { connectors } from '../../connectors/index.ts';
import { testTools } from '../../src/cli/test-tools.ts';
import { prepareTests } from '../../src/testing/prepare.ts';
import { runTests } from '../../src/testing/run.ts';
import { root } from '../support/child-process.ts';
import { runDowel } from '../support/dowel-process.ts';

test('dowel test: all pass, and run every step', async () => {
  const { code, stdout, stderr } = await runDowel(['test', 'integrations', '--min-coverage', '95']);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^\d{2,} passed \(/m);
});

test('every example has tests, which name their schema for editors', () => {
  for (const file of globSync('integrations/**/integration.yaml', { cwd: root })) {
    const tests = join(root, dirname(file), 'integration.test.yaml');
    assert.ok(existsSync(tests), `${file} has no integration.test.yaml beside it`);
    const named = /^# yaml-language-server: \$schema=(\S+)\n/.exec(readFileSync(tests, 'utf8'))?.[1];
    assert.equal(join(dirname(file), named ?? ''), 'schemas/test.schema.json', file);
  }
});

/** In the place of one text of the example: what somebody might break. */
const broken = [
  ['order', 'timeout: 800ms # one attempt\n    retry: { maxAttempts: 3', 'timeout: 800ms\n    retry: { maxAttempts: 2'],
  ['order', '/refund', '/refunds'],
  ['order', 'available < quantity', 'available <= quantity'],
  ['order', 'openFor: 5s', 'openFor: 10s'],
  ['travel-saga', '- idempotent: { key: tripId }', '- log: { message: m }'],
  [
    'travel-saga',
    'endpoint: hotels\n                      http: { method: DELETE',
    'endpoint: cars\n                      http: { method: DELETE',
  ],
  ['quotes', 'require: 2', 'require: all'],
  ['guarded-api', 'ttl: 30s', 'ttl: 3m'],
  ['guarded-api', 'burst: 3', 'burst: 4'],
  ['protected-api', 'scopes: [stock.read]', 'scopes: [other]'],
  ['protected-api', 'claims.tenant = $params', 'claims.tenant != $params'],
  ['contract-first', 'operation: getPrice', 'operation: getStock'],
  [
    'contract-first',
    'contract: { openapi: ./inventory.yaml }',
    'contract: { openapi: ./inventory.yaml, answers: off }',
  ],
  ['store-and-forward', 'maxAttempts: 1000', 'maxAttempts: 100'],
  ['store-and-forward', 'retry: { maxAttempts: 3', 'retry: { maxAttempts: 2'],
  ['store-and-forward', 'idempotent: { key: order }', 'log: { message: m }'],
  ['rest-facade-xml', 'catalogue.book.author, book.author', 'catalogue.book.title'],
] as const;

for (const [example, what, instead] of broken) {
  test(`the tests of ${example} notice: ${JSON.stringify(instead)} for ${JSON.stringify(what)}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'dowel-broken-'));
    t.after(() => rmSync(folder, { recursive: true }));
    cpSync(join(root, 'integrations', example), folder, { recursive: true });
    const file = join(folder, 'integration.yaml');
    const text = readFileSync(file, 'utf8');
    assert.ok(text.includes(what), `${example} has changed`);
    writeFileSync(file, text.replace(what, instead));
    const prepared = await prepareTests(join(folder, 'integration.test.yaml'), testTools());
    assert.deepEqual(
      prepared.checked.flatMap((one) => one.diagnostics),
      [],
    );
    const { tests } = await runTests(prepared, connectors);
    assert.ok(tests.some((one) => one.differences.length > 0));
  });
}
