import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
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
    for (const command of commands) {
      for (const args of [['--help'], ['-h'], ['x', '--help', '--nonsense']]) {
        const { code, stdout, stderr } = await runDowel([command, ...args]);
        assert.equal(code, 0, command);
        assert.match(stdout, new RegExp(`^dowel ${command}\\b`));
        assert.equal(stderr, '');
      }
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
  const wrong = async (args: readonly string[], says: RegExp, cwd?: string) => {
    const { code, stdout, stderr } = await runDowel(args, cwd === undefined ? {} : { cwd });
    const [first = ''] = stderr.split('\n');
    assert.match(first, says);
    assert.match(first, /^dowel: /);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.doesNotMatch(stderr, /\n\s+at /, 'no stack');
  };

  test('an unknown command, with the nearest one', async () => {
    await wrong(['validat'], /there is no command validat; did you mean validate\?/);
    await wrong(['zzz'], /there is no command zzz$/);
    await wrong(['__proto__'], /there is no command __proto__/);
  });

  test('a file in the place of a command', async () => {
    await wrong(['integration.yaml'], /to run the file: dowel run integration\.yaml/);
  });

  test('an unknown option, with the nearest one', async () => {
    await wrong(['validate', 'x.yaml', '--fromat', 'json'], /Unknown option '--fromat'; did you mean --format\?/);
    await wrong(['run', 'x.yaml', '--nonsense'], /Unknown option '--nonsense'$/);
  });

  test('an option without its value, or with one too many', async () => {
    await wrong(['validate', 'x.yaml', '--format'], /--format/);
    await wrong(['run', 'x.yaml', '--exit-when-ready=yes'], /--exit-when-ready/);
  });

  test('a missing argument, or one too many', async () => {
    for (const command of ['run', 'dev', 'validate', 'graph', 'docs', 'kube'])
      await wrong([command], /: FILE is missing/);
    await wrong(['new'], /: NAME is missing/);
    await wrong(['version'], /there is no command version; did you mean --version\?$/);
    for (const command of ['run', 'dev', 'graph', 'new']) await wrong([command, 'a', 'b'], /one argument too many/);
    for (const command of ['schema', 'healthcheck']) await wrong([command, 'a'], /one argument too many/);
  });

  test('a file that does not exist', async () => {
    for (const command of ['run', 'dev', 'validate', 'graph']) {
      await wrong([command, 'nowhere.yaml'], /there is no file nowhere\.yaml$/);
    }
  });

  test('a folder in the place of its file', async (t) => {
    const { folder } = new Project(t, { 'shop/integration.yaml': answering('hi') });
    for (const command of ['dev', 'graph']) {
      await wrong([command, 'shop'], /shop is a folder; name its file, as in shop\/integration\.yaml$/, folder);
    }
    await wrong(['validate', 'shop/'], /shop\/ is a folder; write 'shop\/\*\*\/integration\.yaml'$/, folder);
  });

  test('a value that an option does not take', async (t) => {
    const { folder } = new Project(t, { 'integration.yaml': answering('hi') });
    await wrong(
      ['validate', 'integration.yaml', '--format', 'xml'],
      /--format takes text, json, sarif, github, not xml/,
      folder,
    );
    await wrong(['graph', 'integration.yaml', '--direction', 'UP'], /--direction takes TB, LR, BT, RL, not UP/, folder);
    await wrong(['new', 'x', '--from', 'kafka'], /--from takes http, timer, file, not kafka/, folder);
    await wrong(['healthcheck', '--port', '99999'], /--port takes a number from 1 to 65535/);
    await wrong(['healthcheck', '--timeout', 'soon'], /--timeout takes milliseconds/);
  });
});

test('who has read enough may go away: no trace of a broken pipe', async () => {
  // The reader leaves while most of the schema, which is larger than a pipe, is still to be written.
  const piped = 'set -o pipefail; "$0" bin/dowel.js schema | head -c 10 >/dev/null';
  const { code, stderr } = await finished('bash', ['-c', piped, process.execPath]);
  assert.deepEqual([code, stderr], [0, '']);
});
