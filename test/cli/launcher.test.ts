import assert from 'node:assert/strict';
import { cpSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Child, finished, root } from '../support/child-process.ts';
import { DowelProcess } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';
import { oldNode } from '../support/old-node.ts';
import { farEndpoint, heldService } from './support/held-service.ts';
import { answering, Project, serving } from './support/project.ts';

const launcher = join(root, 'bin', 'dowel.js');

const old = oldNode() ?? '';
const skip = old === '' && 'this machine has no Node older than 24';

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('an older Node', { skip }, () => {
  test('finds the one that was installed with Dowel: results, chatter and exit codes are the same', async (t) => {
    const { folder: cwd } = new Project(t, {
      'integration.yaml': answering('hi'),
      'broken.yaml': serving('- respnd: { status: 200 }'),
    });
    for (const args of [
      ['--version'],
      ['validate', 'integration.yaml'],
      ['validate', 'broken.yaml'],
      ['nonsense'],
      ['run', 'broken.yaml'],
    ]) {
      const by = await finished(old, [launcher, ...args], { cwd });
      const direct = await finished(process.execPath, [launcher, ...args], { cwd });
      assert.deepEqual(by, direct, args.join(' '));
    }
  });

  test('passes signals on, and ends as the integration did', async (t) => {
    const project = new Project(t, { 'integration.yaml': answering('hi') });
    await using dowel = new DowelProcess(old, [launcher, 'run', project.path()]);
    await dowel.until('it is ready', () => dowel.logged('ready') !== undefined);
    assert.equal((await fetch(dowel.url)).status, 200);
    assert.deepEqual(await dowel.stop(), { code: 0, signal: null });
    assert.ok(dowel.logged('stopped'));
  });

  test('is killed: what it started does not outlive it', async (t) => {
    const project = new Project(t, {
      'integration.yaml': serving(
        '- script: { module: ./pid.ts, as: pid }\n- respond: { status: 200, body: { pid: "${{ $pid }}" } }',
      ),
      'pid.ts': 'export default () => process.pid;',
    });
    await using dowel = new DowelProcess(old, [launcher, 'run', project.path()]);
    await dowel.until('it is ready', () => dowel.logged('ready') !== undefined);
    const { pid } = (await (await fetch(dowel.url)).json()) as { pid: number };
    assert.notEqual(pid, dowel.pid);
    dowel.kill('SIGKILL');
    await eventually('the integration has ended', () => !isAlive(pid));
  });

  test('the whole group is told to stop, as systemd does: what is under way is finished all the same', async (t) => {
    const far = await heldService(t);
    const project = new Project(t, {
      'integration.yaml': serving(
        '- script: { module: ./pid.ts, as: pid }\n- call: { endpoint: far, as: answer }\n- respond: { body: "${{ $pid }}" }',
        farEndpoint(far),
      ),
      'pid.ts': 'export default () => { console.error(`runs as ${process.pid}`); return process.pid; };',
    });
    await using dowel = new DowelProcess(old, [launcher, 'run', project.path()]);
    await dowel.until('it is ready', () => dowel.logged('ready') !== undefined);
    const answer = fetch(dowel.url);
    await far.waiting(1);
    const said = (): number => Number(/runs as (\d+)\n/.exec(dowel.stderr)?.[1]);
    await dowel.until('it has said its pid', () => said() > 0);
    process.kill(said(), 'SIGTERM');
    dowel.kill('SIGTERM');
    await dowel.until('it is stopping', () => dowel.logged('stopping') !== undefined);
    far.release();
    assert.equal((await answer).status, 200);
    assert.deepEqual(await dowel.ended, { code: 0, signal: null });
  });

  test('without the one it needs: one line that says what to install, and 69', async (t) => {
    const { folder } = new Project(t);
    cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const { code, stdout, stderr } = await finished(old, [join(folder, 'bin', 'dowel.js'), '--version']);
    assert.deepEqual([code, stdout], [69, '']);
    assert.match(
      stderr,
      /^dowel: needs Node 24 or newer, this is \d+\.\d+\.\d+; install it with: npm install --no-save node@24\n$/,
    );
  });
});

test('a symbolic link, as npm makes them for commands, starts it too', async (t) => {
  const { folder } = new Project(t);
  const link = join(folder, 'dowel');
  symlinkSync(launcher, link);
  // As a program of its own, too: a checkout whose file may not be executed would say "permission denied".
  for (const [program, args] of [
    [process.execPath, [link, '--version']],
    [link, ['--version']],
  ] as const) {
    await using child = new Child(program, args);
    assert.equal((await child.ended).code, 0);
    assert.match(child.stdout, /^\d+\.\d+\.\d+\n$/);
  }
});
