import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseFlowchart } from '../integration/graph/support/flowchart.ts';
import { root } from '../support/child-process.ts';
import { runDowel } from '../support/dowel-process.ts';
import { answering, Project, serving } from './support/project.ts';

test('schema: what it prints is the schema that is checked in', async () => {
  const { code, stdout, stderr } = await runDowel(['schema']);
  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(
    JSON.parse(stdout),
    JSON.parse(readFileSync(join(root, 'schemas', 'integration.schema.json'), 'utf8')),
  );
});

test('graph: a chart on stdout and nothing else, in the direction asked for', async (t) => {
  const { folder: cwd } = new Project(t, { 'integration.yaml': answering('hi') });
  for (const [args, head] of [
    [[], 'flowchart TB'],
    [['--direction', 'LR'], 'flowchart LR'],
  ] as const) {
    const { code, stdout, stderr } = await runDowel(['graph', 'integration.yaml', ...args], { cwd });
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(stdout.split('\n')[0], head);
    const { nodes } = parseFlowchart(stdout);
    assert.deepEqual(
      [...nodes.values()].map((node) => node.text),
      ['http GET /', 'respond 200'],
    );
  }
});

test('graph: a file with errors gets no chart, but its errors, and 1', async (t) => {
  const { folder: cwd } = new Project(t, { 'integration.yaml': serving('- respnd: { status: 200 }') });
  const { code, stdout, stderr } = await runDowel(['graph', 'integration.yaml'], { cwd });
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^integration\.yaml:9:9 error: /);
});

test('graph: values of `config` need not be set, and warnings are no obstacle', async (t) => {
  const { folder: cwd } = new Project(t, {
    'integration.yaml': `${serving('- respond: { status: 200 }', 'config: { URL: { type: uri } }')}  unused:\n    steps: [ { stop: {} } ]\n`,
  });
  const { code, stderr } = await runDowel(['graph', 'integration.yaml'], { cwd });
  assert.deepEqual([code, stderr], [0, '']);
});
