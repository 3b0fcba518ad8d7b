/** The page about Kubernetes shows what happens, and the hook and the pipeline run what there is. */
import assert from 'node:assert/strict';
import { cpSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { load } from 'js-yaml';
import { Project } from '../cli/support/project.ts';
import { root } from '../support/child-process.ts';
import { runDowel } from '../support/dowel-process.ts';
import { fences } from '../support/page.ts';

const page = fences(readFileSync(join(root, 'docs/kubernetes.md'), 'utf8'));
const shown = (language: string, begin: RegExp): string => {
  const found = page.find((fence) => fence.language === language && begin.test(fence.text));
  assert.ok(found, `${language} ${begin}`);
  return found.text;
};

/** Quotes as a shell would take them away. */
const words = (line: string): readonly string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');

test('the example prints what is shown', async (t) => {
  const { folder: cwd } = new Project(t, { 'shop.yaml': shown('yaml', /^dowel: 1/) });
  const [, ...args] = words(shown('sh', /^dowel kube/).trim());
  const { code, stdout, stderr } = await runDowel(args, { cwd });
  assert.equal(code, 0, stderr);
  assert.equal(stderr, shown('text', /^# make the secret/));
  assert.equal(stdout.split(/^---\n/m).at(-1), shown('yaml', /^apiVersion: keda/));
  const kinds = [...stdout.matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind);
  assert.deepEqual(kinds, ['ConfigMap', 'ConfigMap', 'Deployment', 'Service', 'PodDisruptionBudget', 'ScaledObject']);
});

test('the pipeline runs commands that there are', async (t) => {
  interface Workflow {
    readonly jobs: { readonly check: { readonly steps: readonly { readonly run?: string }[] } };
  }
  const { jobs } = load(shown('yaml', /^name: integrations/)) as Workflow;
  const lines = jobs.check.steps.flatMap(({ run }) => (run?.startsWith('npx dowel ') ? [run] : []));
  assert.equal(lines.length, 2);
  const project = new Project(t);
  cpSync(join(root, 'integrations/quotes'), project.path('integrations/quotes'), { recursive: true });
  for (const line of lines) {
    const { code, stdout, stderr } = await runDowel(words(line).slice(2), { cwd: project.folder });
    assert.equal(code, 0, `${line}\n${stdout}${stderr}`);
  }
});

test('the hook checks every example, and its tests', async () => {
  interface Hook {
    readonly id: string;
    readonly entry: string;
    readonly language: string;
    readonly language_version: string;
    readonly files: string;
  }
  const hooks = load(readFileSync(join(root, '.pre-commit-hooks.yaml'), 'utf8')) as readonly Hook[];
  const [hook] = hooks;
  assert.ok(hook && hooks.length === 1);
  assert.deepEqual([hook.id, hook.language], ['dowel-validate', 'node']);
  const { bin, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.equal(hook.language_version, devDependencies.node);
  const [command = '', ...args] = hook.entry.split(' ');
  assert.ok(command in bin);
  const all = globSync('integrations/**/*.{yaml,yml}', { cwd: root });
  const files = all.filter((file) => new RegExp(hook.files).test(file));
  assert.deepEqual(files.toSorted(), globSync('integrations/**/integration{,.test}.yaml', { cwd: root }).toSorted());
  const { code, stdout } = await runDowel([...args, 'integrations/quotes/integration.yaml'], { cwd: root });
  assert.equal(code, 0, stdout);
});
