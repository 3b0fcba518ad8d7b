import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runDowel } from '../support/dowel-process.ts';
import { answering, Project, serving } from './support/project.ts';

const broken = serving('- respnd: { status: 200 }');
const files = {
  'good.yaml': answering('hi'),
  'broken.yaml': broken,
  'warned.yaml': `${answering('hi')}  unused:\n    steps: [ { stop: {} } ]\n`,
  'deep/a/integration.yaml': answering('a'),
  'deep/b/integration.yaml': answering('b'),
  'deep/node_modules/c/integration.yaml': broken,
};

describe('exit codes', () => {
  test('0 when all is well, also with warnings; 1 with errors in any file', async (t) => {
    const { folder: cwd } = new Project(t, files);
    const good = await runDowel(['validate', 'good.yaml'], { cwd });
    assert.deepEqual([good.code, good.stdout, good.stderr], [0, 'good.yaml: valid\n', '']);
    const warned = await runDowel(['validate', 'warned.yaml'], { cwd });
    assert.equal(warned.code, 0);
    assert.match(warned.stdout, /warned\.yaml:\d+:\d+ warning: /);
    const bad = await runDowel(['validate', 'good.yaml', 'broken.yaml'], { cwd });
    assert.equal(bad.code, 1);
    assert.match(bad.stdout, /^good\.yaml: valid$/m);
    assert.match(bad.stdout, /^broken\.yaml:9:9 error: .*did you mean `respond`/m);
  });

  test('2 for a missing file, a folder, and a pattern that matches nothing: nothing is validated halfway', async (t) => {
    const { folder: cwd } = new Project(t, files);
    for (const [args, says] of [
      [['good.yaml', 'none.yaml'], /there is no file none\.yaml/],
      [['deep'], /deep is a folder; write 'deep\/\*\*\/integration\.yaml'/],
      [['deep/**/none.yaml'], /no file matches deep\/\*\*\/none\.yaml/],
    ] as const) {
      const { code, stdout, stderr } = await runDowel(['validate', ...args], { cwd });
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, says);
    }
  });
});

test('several files and patterns: each file once, in order, none of installed packages', async (t) => {
  const { folder: cwd } = new Project(t, files);
  const { code, stdout } = await runDowel(['validate', 'good.yaml', '{deep,.}/**/integration.yaml', 'good.yaml'], {
    cwd,
  });
  assert.equal(code, 0, stdout);
  assert.equal(stdout, 'good.yaml: valid\ndeep/a/integration.yaml: valid\ndeep/b/integration.yaml: valid\n');
});

test('values of `config` need not be set, and nothing is opened', async (t) => {
  const { folder: cwd } = new Project(t, {
    'integration.yaml': serving(
      '- call: { endpoint: far }',
      'config: { URL: { type: uri }, KEY: { secret: true } }\nendpoints: { far: { http: { url: "${URL}", auth: { bearer: { token: "${KEY}" } } } } }',
    ),
  });
  const { code, stdout } = await runDowel(['validate', 'integration.yaml'], { cwd });
  assert.equal(code, 0, stdout);
});

describe('--format', () => {
  test('json: one document for programs', async (t) => {
    const { folder: cwd } = new Project(t, files);
    const { code, stdout } = await runDowel(
      ['validate', '--format', 'json', 'good.yaml', 'broken.yaml', 'warned.yaml'],
      { cwd },
    );
    assert.equal(code, 1);
    const report = JSON.parse(stdout) as {
      files: { file: string; diagnostics: Record<string, unknown>[] }[];
      errors: number;
      warnings: number;
    };
    assert.deepEqual(
      report.files.map((one) => [one.file, one.diagnostics.length]),
      [
        ['good.yaml', 0],
        ['broken.yaml', 1],
        ['warned.yaml', 1],
      ],
    );
    assert.equal(report.errors, 1);
    assert.equal(report.warnings, 1);
    const { message, ...facts } = report.files[1]?.diagnostics[0] ?? {};
    assert.equal(typeof message, 'string');
    assert.deepEqual(facts, {
      severity: 'error',
      code: 'unknown-step',
      pointer: '/flows/main/steps/0/respnd',
      line: 9,
      column: 9,
      endLine: 9,
      endColumn: 15,
      suggestion: 'respond',
    });
  });

  test('sarif: a log that code scanners read', async (t) => {
    const { folder: cwd } = new Project(t, files);
    const { code, stdout } = await runDowel(['validate', '-f', 'sarif', 'broken.yaml'], { cwd });
    assert.equal(code, 1);
    const log = JSON.parse(stdout) as {
      version: string;
      runs: { results: { ruleId: string; level: string; locations: { physicalLocation: { region: object } }[] }[] }[];
    };
    assert.equal(log.version, '2.1.0');
    const [result] = log.runs[0]?.results ?? [];
    assert.equal(result?.ruleId, 'unknown-step');
    assert.equal(result?.level, 'error');
    assert.deepEqual(result?.locations[0]?.physicalLocation.region, {
      startLine: 9,
      startColumn: 9,
      endLine: 9,
      endColumn: 15,
    });
  });

  test('github: workflow commands, one a line; nothing for a good file', async (t) => {
    const { folder: cwd } = new Project(t, files);
    const { code, stdout } = await runDowel(['validate', '--format=github', 'good.yaml', 'broken.yaml'], { cwd });
    assert.equal(code, 1);
    assert.match(stdout, /^::error file=broken\.yaml,line=9,.*::.*respond.*\n$/);
  });

  test('text has no colours outside a terminal', async (t) => {
    const { folder: cwd } = new Project(t, files);
    const { stdout } = await runDowel(['validate', 'broken.yaml'], {
      cwd,
      env: { NO_COLOR: undefined, FORCE_COLOR: undefined },
    });
    assert.ok(!stdout.includes('\u001b'), stdout);
  });
});
