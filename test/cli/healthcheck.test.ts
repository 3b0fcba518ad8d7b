import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runDowel, startDowel } from '../support/dowel-process.ts';
import { freePort } from '../support/free-port.ts';
import { farEndpoint, heldService } from './support/held-service.ts';
import { answering, Project, serving } from './support/project.ts';

const ask = (port: number, ...more: readonly string[]) => runDowel(['healthcheck', '--port', String(port), ...more]);

test('0 for a ready integration, without a word', async (t) => {
  const project = new Project(t, { 'integration.yaml': answering('hi') });
  await using dowel = await startDowel(project.path());
  const { code, stdout, stderr } = await ask(dowel.adminPort);
  assert.deepEqual([code, stdout, stderr], [0, '', '']);
});

test('1 when it is stopping, with what it said', async (t) => {
  const far = await heldService(t);
  const project = new Project(t, { 'integration.yaml': serving('- call: { endpoint: far }', farEndpoint(far)) });
  await using dowel = await startDowel(project.path());
  const request = fetch(dowel.url);
  await far.waiting(1);
  dowel.kill('SIGTERM');
  await dowel.until('it is stopping', () => dowel.logged('stopping') !== undefined);
  const { code, stderr } = await ask(dowel.adminPort);
  assert.equal(code, 1);
  assert.equal(stderr, `dowel: not ready: 127.0.0.1:${dowel.adminPort} answered 503\n`);
  far.release();
  await request;
});

test('1 when nobody listens, in one line', async () => {
  const { code, stderr } = await ask(await freePort());
  assert.equal(code, 1);
  assert.match(stderr, /^dowel: not ready: 127\.0\.0\.1:\d+: .*ECONNREFUSED.*\n$/);
});

test('1 when somebody listens and does not answer in time', async (t) => {
  const silent = await heldService(t);
  const { code, stderr } = await ask(Number(new URL(silent.url).port), '--timeout', '100');
  assert.equal(code, 1);
  assert.match(stderr, /no answer within 100 ms\n$/);
});
