import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { file } from '../../../connectors/file/index.ts';
import { Project } from '../../cli/support/project.ts';
import { runDowel } from '../../support/dowel-process.ts';

const { definition } = file;

function problems(options: object): readonly string[] {
  const found: string[] = [];
  const source = { path: '/in', glob: '*', every: 1000, settle: 500, maxAttempts: 5, retryDelay: 1000, maxSize: 1 };
  definition.check?.({ ...source, ...options }, (at, message) => found.push(`${at}: ${message}`), 'source');
  return found;
}

test('a source and an endpoint that takes `send` only', () => {
  assert.ok(definition.source && definition.endpoint && definition.call);
  assert.equal(definition.replies ?? false, false);
  assert.equal(definition.awaitsReply ?? false, false);
});

test('what can never work is found while validating', () => {
  assert.deepEqual(problems({}), []);
  assert.deepEqual(problems({ done: { delete: true }, failed: '/failed' }), []);
  assert.match(problems({ glob: 'a/*' })[0] ?? '', /^glob: .*sub-folders/);
  assert.match(problems({ every: 0 })[0] ?? '', /^every: /);
  assert.match(problems({ done: { delete: false } })[0] ?? '', /^done\/delete: /);
  assert.match(problems({ done: { folder: '/in' } })[0] ?? '', /^done\/folder: .*taken again/);
  assert.match(problems({ failed: '/in' })[0] ?? '', /^failed: .*taken again/);
});

test('the example of its page is valid as it stands', async (t) => {
  const page = readFileSync(new URL('../../../connectors/file/README.md', import.meta.url), 'utf8');
  const [, example = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];
  const project = new Project(t, { 'integration.yaml': `dowel: 1\nname: test\n${example}` });
  const { code, stdout } = await runDowel(['validate', project.path()]);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /: valid\n$/);
});
