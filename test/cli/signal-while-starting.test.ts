import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../support/child-process.ts';
import { DowelProcess } from '../support/dowel-process.ts';
import { Project, serving } from './support/project.ts';

test('a signal while it starts ends it at once: nothing is under way yet', async (t) => {
  const project = new Project(t, {
    'integration.yaml': serving('- script: { module: ./slow.ts }'),
    'slow.ts': 'setInterval(() => {}, 1000);\nawait new Promise(() => {});\nexport default () => 1;\n',
  });
  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    await using dowel = new DowelProcess(process.execPath, [join(root, 'bin', 'dowel.js'), 'run', project.path()]);
    await dowel.until('it starts', () => dowel.logged('admin listening') !== undefined);
    assert.deepEqual(await dowel.stop(signal), { code, signal: null });
    assert.equal(dowel.logged('ready'), undefined);
  }
});
