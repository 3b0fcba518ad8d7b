import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { testFilesOf } from '../../src/cli/test-threads.ts';
import type { TestedFile } from '../../src/cli/tested-file.ts';
import { Project, serving } from './support/project.ts';

/** Modules of this thread wait until those of another were read, so that both have something to do. */
const meeting = (there: string): string => `
import { existsSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
const mark = new URL('./mark', import.meta.url);
// Not for ever: the folder goes when the test is over.
while (isMainThread && existsSync(new URL(import.meta.url)) && !existsSync(mark)) await new Promise((resolve) => setTimeout(resolve, 5));
if (!isMainThread) {
  writeFileSync(mark, '');
  ${there}
}
export const where = () => ({ where: isMainThread ? 'here' : 'there', large: 12345678901234567890n });
`;

const tests = `dowelTest: 1
integration: ./integration.yaml
tests:
  - { name: right, send: { flow: main }, expect: { reply: { status: 200 } } }
  - { name: wrong, send: { flow: main }, expect: { reply: { body: { where: nowhere } } } }
`;

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

async function tested(t: TestContext, there: string, bail = false): Promise<readonly TestedFile[]> {
  const script =
    "- script: { module: ./where.js, export: where, as: found }\n- respond: { body: { where: '${{ $found.where }}' } }";
  const project = new Project(t, { 'package.json': '{ "type": "module" }', 'where.js': meeting(there) });
  project.write('integration.yaml', serving(script));
  const files = names.map((name) => {
    // The last is the longest, and begun first.
    project.write(`${name}.test.yaml`, `${tests}${'#'.repeat(name.charCodeAt(0))}\n`);
    return project.path(`${name}.test.yaml`);
  });
  const all: TestedFile[] = [];
  for await (const one of testFilesOf(files, { bail }, 2)) all.push(one);
  assert.deepEqual(
    all.map((one) => one.report.file),
    files,
  );
  return all;
}

describe('many files', () => {
  test('are tested by several threads, and told in their order', async (t) => {
    const all = await tested(t, '');
    const seen = new Set<unknown>();
    for (const { report, files } of all) {
      assert.deepEqual(report.broken, []);
      assert.deepEqual(
        report.result.tests.map((one) => [one.name, one.differences.length]),
        [
          ['right', 0],
          ['wrong', 1],
        ],
      );
      seen.add(report.result.tests[1]?.differences[0]?.actual);
      assert.equal(files.length, 3);
    }
    assert.ok(seen.has('there'), [...seen].join());
  });

  test('a thread that a module ends is told', async (t) => {
    await assert.rejects(
      tested(t, 'process.exit(3);'),
      /a module of an integration .* ended its thread \(exit code 3\)/,
    );
  });

  test('an error that nobody catches in a thread is told', async (t) => {
    const late = "setImmediate(() => { throw new Error('nobody waits for this'); }); await new Promise(() => {});";
    await assert.rejects(tested(t, late), /nobody waits for this/);
  });
});
