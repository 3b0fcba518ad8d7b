import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runDowel, startDowel } from '../support/dowel-process.ts';
import { answering, Project, serving } from './support/project.ts';

const plain = answering('hi').replace('server: { port: 0 }', '');

test('kube: manifests on stdout and nothing else', async (t) => {
  const { folder: cwd } = new Project(t, { 'integration.yaml': plain });
  const { code, stdout, stderr } = await runDowel(
    ['kube', 'integration.yaml', '--image', 'mine:1', '--replicas', '4'],
    {
      cwd,
    },
  );
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^apiVersion: v1\nkind: ConfigMap\n/);
  assert.match(stdout, /^ +image: mine:1$/m);
  assert.match(stdout, /^ +minReplicas: 4$/m);
});

test('kube: a file with errors gets no manifests, but its errors, and 1', async (t) => {
  const { folder: cwd } = new Project(t, { 'integration.yaml': serving('- respnd: { status: 200 }') });
  const { code, stdout, stderr } = await runDowel(['kube', 'integration.yaml'], { cwd });
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^integration\.yaml:9:9 error: /);
});

test('kube: what cannot be in a manifest is 1, with what to write', async (t) => {
  const { folder: cwd } = new Project(t, { 'integration.yaml': answering('hi') });
  const { code, stdout, stderr } = await runDowel(['kube', 'integration.yaml'], { cwd });
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^dowel: server\.port has no number/);
});

test('kube: options that cannot be are 2', async (t) => {
  const { folder: cwd } = new Project(t, { 'integration.yaml': plain });
  for (const [option, value] of [
    ['--replicas', '0'],
    ['--replicas', 'two'],
    ['--namespace', 'My_Shop'],
    ['--image', 'my image'],
  ] as const) {
    const { code, stdout, stderr } = await runDowel(['kube', 'integration.yaml', option, value], { cwd });
    assert.deepEqual([code, stdout], [2, ''], stderr);
    assert.match(stderr, new RegExp(`^dowel: ${option} takes`));
  }
});

test('run: DOWEL_ADMIN_HOST opens the admin server to others, whatever the file says', async (t) => {
  const project = new Project(t, { 'integration.yaml': `${answering('hi')}admin: { port: 0, host: 127.0.0.1 }\n` });
  await using dowel = await startDowel(project.path(), { env: { DOWEL_ADMIN_HOST: '0.0.0.0' } });
  assert.equal(dowel.logged('admin listening')?.['host'], '0.0.0.0');
  assert.equal((await fetch(`http://127.0.0.1:${dowel.adminPort}/readyz`)).status, 200);
  // From outside nothing is told without a token.
  assert.notEqual((await fetch(`http://127.0.0.1:${dowel.adminPort}/status`)).status, 200);
});
