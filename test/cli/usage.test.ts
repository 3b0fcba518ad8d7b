import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { main } from '../../src/cli/main.ts';
import { finished } from '../support/child-process.ts';
import { runDowel } from '../support/dowel-process.ts';
import { answering, Project } from './support/project.ts';

const commands = ['run', 'dev', 'validate', 'graph', 'schema', 'new', 'dead-letters', 'healthcheck'];

describe('help', () => {
  test('dowel help lists every command, on stdout', async () => {
    for (const flag of ['help', '--help', '-h']) {
      const { code, stdout, stderr } = await runDowel([flag]);
      assert.equal(code, 0);
      assert.equal(stderr, '');
      for (const command of commands) assert.match(stdout, new RegExp(`^  dowel ${command} `, 'm'));
    }
  });

  test('every command explains itself, with its own name and arguments, on stdout', async () => {
    // All ways to ask, one after the other: what they are is the same for every command.
    const ways = [['--help'], ['-h'], ['x', '--help', '--nonsense']];
    for (const [index, command] of commands.entries()) {
      const { code, stdout, stderr } = await runDowel([command, ...(ways[index % ways.length] ?? [])]);
      assert.equal(code, 0, command);
      assert.match(stdout, new RegExp(`^dowel ${command}\\b`));
      assert.equal(stderr, '');
    }
  });

  test('no command is wrong usage: the help, and 2', async () => {
    const { code, stdout, stderr } = await runDowel([]);
    assert.equal(code, 2);
    assert.match(stdout + stderr, /dowel validate/);
  });
});

test('the version is that of the package', async () => {
  const { default: pkg } = await import('../../package.json', { with: { type: 'json' } });
  for (const flag of ['--version', '-v']) {
    const { code, stdout } = await runDowel([flag]);
    assert.equal(code, 0);
    assert.equal(stdout, `${pkg.version}\n`);
  }
});

describe('wrong usage ends with 2 and says what is right, in its first line', () => {
  const says = (stderr: string, what: RegExp): void => {
    const [first = ''] = stderr.split('\n');
    assert.match(first, what);
    assert.match(first, /^dowel: /);
    assert.doesNotMatch(stderr, /\n\s+at /, 'no stack');
  };

  /** In this process: what another prints and how it ends is tried above and below, once for each way. */
  const wrong = async (t: TestContext, args: readonly string[], what: RegExp, cwd?: string) => {
    let stderr = '';
    const { mock } = t.mock.method(process.stderr, 'write', (text: string) => {
      stderr += text;
      return true;
    });
    const here = process.cwd();
    const { exitCode } = process;
    if (cwd !== undefined) process.chdir(cwd);
    try {
      await main(args);
      assert.equal(process.exitCode, 2, stderr);
    } finally {
      process.exitCode = exitCode;
      process.chdir(here);
      mock.restore();
    }
    says(stderr, what);
  };

  test('as a process: nothing on stdout, and the exit code', async () => {
    for (const [args, what] of [
      [['validat'], /there is no command validat; did you mean validate\?/],
      [['validate', 'x.yaml', '--fromat', 'json'], /Unknown option '--fromat'; did you mean --format\?/],
    ] as const) {
      const { code, stdout, stderr } = await runDowel(args);
      says(stderr, what);
      assert.deepEqual([code, stdout], [2, '']);
    }
  });

  test('an unknown command, with the nearest one', async (t) => {
    await wrong(t, ['validat'], /there is no command validat; did you mean validate\?/);
    await wrong(t, ['zzz'], /there is no command zzz$/);
    await wrong(t, ['__proto__'], /there is no command __proto__/);
  });

  test('a file in the place of a command', async (t) => {
    await wrong(t, ['integration.yaml'], /to run the file: dowel run integration\.yaml/);
  });

  test('an unknown option, with the nearest one', async (t) => {
    await wrong(
      t,
      ['graph', 'x.yaml', '--diretcion', 'LR'],
      /Unknown option '--diretcion'; did you mean --direction\?/,
    );
    await wrong(t, ['run', 'x.yaml', '--nonsense'], /Unknown option '--nonsense'$/);
  });

  test('an option without its value, or with one too many', async (t) => {
    await wrong(t, ['validate', 'x.yaml', '--format'], /--format/);
    await wrong(t, ['run', 'x.yaml', '--exit-when-ready=yes'], /--exit-when-ready/);
  });

  test('a missing argument, or one too many', async (t) => {
    for (const command of ['run', 'dev', 'validate', 'graph', 'docs', 'kube'])
      await wrong(t, [command], /: FILE is missing/);
    await wrong(t, ['new'], /: NAME is missing/);
    await wrong(t, ['version'], /there is no command version; did you mean --version\?$/);
    for (const command of ['run', 'dev', 'graph', 'new']) await wrong(t, [command, 'a', 'b'], /one argument too many/);
    for (const command of ['schema', 'healthcheck']) await wrong(t, [command, 'a'], /one argument too many/);
  });

  test('a file that does not exist', async (t) => {
    for (const command of ['run', 'dev', 'validate', 'graph']) {
      await wrong(t, [command, 'nowhere.yaml'], /there is no file nowhere\.yaml$/);
    }
  });

  test('a folder in the place of its file', async (t) => {
    const { folder } = new Project(t, { 'shop/integration.yaml': answering('hi') });
    for (const command of ['dev', 'graph']) {
      await wrong(t, [command, 'shop'], /shop is a folder; name its file, as in shop\/integration\.yaml$/, folder);
    }
    await wrong(t, ['validate', 'shop/'], /shop\/ is a folder; write 'shop\/\*\*\/integration\.yaml'$/, folder);
  });

  test('a value that an option does not take', async (t) => {
    const { folder } = new Project(t, { 'integration.yaml': answering('hi') });
    await wrong(
      t,
      ['validate', 'integration.yaml', '--format', 'xml'],
      /--format takes text, json, sarif, github, not xml/,
      folder,
    );
    await wrong(
      t,
      ['graph', 'integration.yaml', '--direction', 'UP'],
      /--direction takes TB, LR, BT, RL, not UP/,
      folder,
    );
    await wrong(t, ['new', 'x', '--from', 'kafka'], /--from takes http, timer, file, not kafka/, folder);
    await wrong(t, ['healthcheck', '--port', '99999'], /--port takes a number from 1 to 65535/);
    await wrong(t, ['healthcheck', '--timeout', 'soon'], /--timeout takes milliseconds/);
  });
});

test('who has read enough may go away: no trace of a broken pipe', async () => {
  // The reader leaves while most of the schema, which is larger than a pipe, is still to be written.
  const piped = 'set -o pipefail; "$0" bin/dowel.js schema | head -c 10 >/dev/null';
  const { code, stderr } = await finished('bash', ['-c', piped, process.execPath]);
  assert.deepEqual([code, stderr], [0, '']);
});
