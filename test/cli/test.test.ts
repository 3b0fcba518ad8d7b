import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { SaxesParser } from 'saxes';
import { root } from '../support/child-process.ts';
import { DowelProcess, runDowel } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';
import { answering, Project, serving } from './support/project.ts';

const testsOf = (integration: string, ...expected: readonly string[]): string =>
  `dowelTest: 1\nintegration: ${integration}\ntests:\n${expected
    .map(
      (body, index) =>
        `  - { name: 'says ${body} <${index}>', send: { flow: main }, expect: { reply: { body: { text: ${body} } } } }\n`,
    )
    .join('')}`;

const files = {
  'integration.yaml': answering('hi'),
  'integration.test.yaml': testsOf('./integration.yaml', 'hi'),
  'red/integration.test.yaml': testsOf('../integration.yaml', 'hi', 'ho', 'hi', 'hu'),
  'broken/integration.test.yaml': testsOf('../integration.yaml', 'hi').replace('send:', 'sned:'),
  'broken/other.test.yaml': testsOf('./other.yaml', 'hi'),
  'broken/other.yaml': answering('hi').replace('steps:', 'stesp:'),
};

describe('exit codes', () => {
  test('0 when all pass', async (t) => {
    const { folder: cwd } = new Project(t, files);
    const { code, stdout, stderr } = await runDowel(['test', 'integration.test.yaml'], { cwd });
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^integration\.test\.yaml\n {2}✓ says hi <0> \d+ ms\n\n1 passed \(\d+ ms\)\n$/);
    assert.equal(stderr, '');
  });

  test('1 when one fails: with the place, both values, and what was called', async (t) => {
    const { folder: cwd } = new Project(t, files);
    const { code, stdout } = await runDowel(['test', 'red'], { cwd });
    assert.equal(code, 1);
    const at = String.raw`red\/integration\.test\.yaml:5:\d+`;
    const both = String.raw`\n +reply\.body\.text\n +expected {2}"ho"\n +actual {4}"hi"\n +nothing was called\n`;
    assert.match(stdout, new RegExp(`✗ says ho <1> \\d+ ms\\n +${at}${both}`));
    assert.match(stdout, /\n2 failed, 2 passed /);
  });

  test('why a message failed stands with the test that did not expect it', async (t) => {
    const { folder: cwd } = new Project(t, {
      'integration.yaml': serving('- transform: \'{ "sum": $query.n + 1 }\''),
      'integration.test.yaml':
        'dowelTest: 1\nintegration: ./integration.yaml\ntests:\n  - name: sums\n    send: { flow: main, query: { n: x } }\n    expect: { reply: { status: 200 } }\n',
    });
    const { code, stdout } = await runDowel(['test'], { cwd });
    assert.equal(code, 1);
    assert.match(
      stdout,
      /\n {6}what was logged:\n {8}a message failed \(main\/steps\/0 transform, expression\): The expression .* must be a number, not text/,
    );
  });

  test('78 when a test file, or the integration, has mistakes; the other files are run all the same', async (t) => {
    const { folder: cwd } = new Project(t, files);
    const { code, stdout } = await runDowel(['test', 'broken', 'integration.test.yaml'], { cwd });
    assert.equal(code, 78);
    assert.match(stdout, /^broken\/integration\.test\.yaml:4:\d+ error: Unknown key `sned`; did you mean `send`\?$/m);
    assert.match(stdout, /^broken\/other\.yaml:\d+:\d+ error: .*did you mean `steps`\?$/m);
    assert.match(stdout, /^ {2}✓ says hi <0>/m);
    assert.match(stdout, /^1 passed, 2 files with mistakes /m);
  });

  test('2 for what is no file of tests, and where there are none', async (t) => {
    const { folder: cwd } = new Project(t, { ...files, 'none/integration.yaml': answering('hi') });
    for (const [args, says] of [
      [['none.test.yaml'], /^dowel: there is no file none\.test\.yaml$/m],
      [['integration.yaml'], /integration\.yaml is no file of tests: .*; did you mean integration\.test\.yaml\?$/m],
      [['none'], /^dowel: no file of tests matches none\/\*\*\/\*\.test\.\{yaml,yml\}$/m],
      [['--format', 'xml'], /--format takes text, json, junit, tap, not xml/],
      [['--min-coverage', '101'], /--min-coverage takes a number from 0 to 100, not 101/],
      [['integration.test.yaml', '--filter', 'nowhere'], /^dowel: no test has nowhere in its name$/m],
    ] as const) {
      const { code, stderr } = await runDowel(['test', ...args], { cwd });
      assert.equal(code, 2, stderr);
      assert.match(stderr, says);
    }
  });

  test('1 when fewer steps ran than --min-coverage asks for; the steps that did not are named with their place', async (t) => {
    const two = `${answering('hi')}  other:\n    from: { timer: { every: 1h } }\n    steps: [ { name: Never, stop: {} } ]\n`;
    const { folder: cwd } = new Project(t, { ...files, 'integration.yaml': two });
    const { code, stdout, stderr } = await runDowel(['test', 'integration.test.yaml', '--min-coverage', '80'], { cwd });
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^50\.0 % of the steps ran\nSteps that no test ran:\n {2}integration\.yaml:\d+:\d+ {2}Never\n/m,
    );
    assert.match(stderr, /^dowel: 50\.0 % of the steps ran, and --min-coverage asks for 80$/m);
    assert.equal((await runDowel(['test', 'integration.test.yaml', '--min-coverage', '50'], { cwd })).code, 0);
  });
});

test('without a file all tests below are run; --filter chooses by name, --bail ends after the first that fails', async (t) => {
  const { 'broken/integration.test.yaml': _, 'broken/other.test.yaml': __, ...sound } = files;
  const { folder: cwd } = new Project(t, { ...sound, 'node_modules/x/a.test.yaml': 'nonsense' });
  assert.match((await runDowel(['test'], { cwd })).stdout, /\n2 failed, 3 passed /);
  const chosen = await runDowel(['test', '--filter', 'says hi <0>'], { cwd });
  assert.deepEqual([chosen.code, /\n2 passed, 3 skipped /.test(chosen.stdout)], [0, true], chosen.stdout);
  const bailed = await runDowel(['test', 'red', '--bail'], { cwd });
  assert.deepEqual([bailed.code, /\n1 failed, 1 passed, 2 skipped /.test(bailed.stdout)], [1, true], bailed.stdout);
});

describe('--format', () => {
  test('json: every test with its differences and calls, and the coverage', async (t) => {
    const { folder: cwd } = new Project(t, files);
    const { code, stdout } = await runDowel(['test', 'red', '--format', 'json'], { cwd });
    assert.equal(code, 1);
    const said = JSON.parse(stdout) as Readonly<Record<string, unknown>> & {
      readonly files: readonly { readonly tests: readonly Readonly<Record<string, unknown>>[] }[];
      readonly coverage: { readonly percent: number };
    };
    assert.deepEqual([said['passed'], said['failed'], said['broken']], [2, 2, 0]);
    assert.equal(said.coverage.percent, 100);
    const found = said.files[0]?.tests[1]?.['differences'] as readonly Readonly<Record<string, unknown>>[] | undefined;
    const difference = found?.[0];
    assert.deepEqual(
      [difference?.['pointer'], difference?.['expected'], difference?.['actual']],
      ['/tests/1/expect/reply/body/text', 'ho', 'hi'],
    );
  });

  test('junit: XML that build servers read', async (t) => {
    const { folder: cwd } = new Project(t, files);
    const { stdout } = await runDowel(['test', 'red', 'broken', '--format', 'junit'], { cwd });
    const seen: string[] = [];
    const parser = new SaxesParser();
    parser.on('opentag', ({ name, attributes }) => {
      if (name === 'testcase') seen.push(String(attributes['name']));
      if (name === 'failure') seen.push(`failed: ${attributes['message']}`);
      if (name === 'error') seen.push('error');
      if (name === 'testsuites') seen.push(`${attributes['tests']} ${attributes['failures']} ${attributes['errors']}`);
    });
    parser.on('error', (error) => assert.fail(error.message));
    parser.write(stdout).close();
    assert.deepEqual(seen, [
      '6 2 2',
      'says hi <0>',
      'says ho <1>',
      'failed: reply.body.text must be "ho", and is "hi"',
      'says hi <2>',
      'says hu <3>',
      'failed: reply.body.text must be "hu", and is "hi"',
      'the definitions are valid',
      'error',
      'the definitions are valid',
      'error',
    ]);
  });

  test('tap: one line for each test, the findings below', async (t) => {
    const { folder: cwd } = new Project(t, files);
    const { stdout } = await runDowel(['test', 'red', '--format', 'tap', '--filter', '<0>'], { cwd });
    assert.equal(stdout, 'TAP version 14\n1..1\nok 1 - red/integration.test.yaml: says hi <0>\n');
    const failed = await runDowel(['test', 'red', '--format', 'tap', '--filter', '<1>'], { cwd });
    assert.match(
      failed.stdout,
      /^not ok 1 - .*\n {2}---\n {2}findings:\n {4}- "red\/.*:5:\d+ reply\.body\.text must be .*"\n {2}\.\.\.\n$/m,
    );
  });
});

test('--watch runs them again whenever a file changes that they depend on', async (t) => {
  const project = new Project(t, files);
  await using dowel = new DowelProcess(
    process.execPath,
    [join(root, 'bin/dowel.js'), 'test', 'integration.test.yaml', '--watch'],
    { cwd: project.folder },
  );
  const says = (what: string, text: string): Promise<void> =>
    eventually(what, () => dowel.stdout.includes(text) && dowel.stderr.includes('watching'));
  await says('the first run', '1 passed');
  project.write('integration.yaml', answering('ho'));
  await says('the integration has changed', '1 failed');
  project.write('integration.test.yaml', testsOf('./integration.yaml', 'ho', 'ho'));
  await says('the tests have changed', '2 passed');
  assert.deepEqual(await dowel.stop(), { code: 0, signal: null });
});

test('validate checks files of tests as well, without running them', async (t) => {
  const { folder: cwd } = new Project(t, files);
  const good = await runDowel(['validate', '*.yaml'], { cwd });
  assert.deepEqual([good.code, good.stdout], [0, 'integration.test.yaml: valid\nintegration.yaml: valid\n']);
  const bad = await runDowel(['validate', 'broken/*.test.yaml'], { cwd });
  assert.equal(bad.code, 1);
  assert.match(bad.stdout, /^broken\/integration\.test\.yaml:4:\d+ error: Unknown key `sned`/m);
  assert.match(bad.stdout, /^broken\/other\.yaml:\d+:\d+ error: /m);
});
