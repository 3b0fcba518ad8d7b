import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { list } from '../connectors/file/support/inbox.ts';
import { type LogLine, runDowel, startDowel } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';
import { takenPort } from '../support/free-port.ts';
import { listens } from '../support/listens.ts';
import { farEndpoint, heldService } from './support/held-service.ts';
import { answering, Project, serving } from './support/project.ts';

/** What stands on stdout is the log, and nothing else. */
function assertJsonLines(stdout: string): void {
  for (const line of stdout.split('\n').filter((one) => one !== '')) {
    const entry = JSON.parse(line) as Record<string, unknown>;
    for (const field of ['level', 'time', 'integration', 'message']) assert.equal(typeof entry[field], 'string', line);
  }
}

describe('starting', () => {
  test('--exit-when-ready opens everything, says so in JSON lines on stdout alone, and ends with 0', async (t) => {
    const { folder: cwd } = new Project(t, { 'integration.yaml': answering('hi') });
    const { code, stdout, stderr } = await runDowel(['run', 'integration.yaml', '--exit-when-ready'], { cwd });
    assert.deepEqual([code, stderr], [0, '']);
    assertJsonLines(stdout);
    for (const message of ['admin listening', 'listening', 'ready', 'stopped']) {
      assert.match(stdout, new RegExp(`"message":"${message}"`));
    }
  });

  test('a broken definition: every finding on stderr, nothing on stdout, 78', async (t) => {
    const { folder: cwd } = new Project(t, {
      'integration.yaml': serving('- respnd: { status: 200 }\n- cal: { endpoint: far }'),
    });
    const { code, stdout, stderr } = await runDowel(['run', 'integration.yaml'], { cwd });
    assert.deepEqual([code, stdout], [78, '']);
    assert.match(stderr, /integration\.yaml:9:9 error: .*`respnd`/);
    assert.match(stderr, /integration\.yaml:10:9 error: .*`cal`/);
  });

  test('missing configuration: all of it at once, by name, 78', async (t) => {
    const config =
      'config: { FIRST: { type: uri }, SECOND: { secret: true }, THIRD: { type: integer }, FOURTH: { default: x } }';
    const { folder: cwd } = new Project(t, { 'integration.yaml': serving('- respond: { status: 200 }', config) });
    const { code, stdout, stderr } = await runDowel(['run', 'integration.yaml'], { cwd, env: { THIRD: 'many' } });
    assert.deepEqual([code, stdout], [78, '']);
    for (const name of ['FIRST', 'SECOND', 'THIRD']) assert.match(stderr, new RegExp(`error: .*${name}`), name);
    assert.doesNotMatch(stderr, /error: .*FOURTH/);
  });

  test('a folder in the place of a file is 78, with a line that says so', async (t) => {
    const { folder: cwd } = new Project(t, { 'sub/integration.yaml': answering('hi') });
    const { code, stderr } = await runDowel(['run', 'sub'], { cwd });
    assert.equal(code, 78);
    assert.match(stderr, /folder/);
  });

  test('a port in use is 69, in one line that names it', async (t) => {
    await using taken = await takenPort();
    const { folder: cwd } = new Project(t, {
      'integration.yaml': answering('hi').replace('port: 0', `port: ${taken.port}`),
    });
    const { code, stdout, stderr } = await runDowel(['run', 'integration.yaml'], { cwd });
    assert.equal(code, 69);
    assert.match(stderr, new RegExp(`^dowel: .*${taken.port}.*\n$`));
    assert.match(stderr, /another process uses it/);
    assertJsonLines(stdout);
    assert.match(stdout, /"level":"error".*"message":"not started"/);
  });

  test('an admin port that the file insists on is 69 when taken; else a free one is found', async (t) => {
    await using taken = await takenPort();
    const project = new Project(t, { 'integration.yaml': `${answering('hi')}admin: { port: ${taken.port} }\n` });
    const { code, stderr } = await runDowel(['run', 'integration.yaml'], { cwd: project.folder });
    assert.equal(code, 69);
    assert.match(
      stderr,
      new RegExp(`^dowel: The admin port ${taken.port} of .* another process uses it; .*\`admin.port\`\n$`),
    );
    project.write('integration.yaml', answering('hi'));
    await using first = await startDowel(project.path());
    await using second = await startDowel(project.path());
    assert.notEqual(first.adminPort, second.adminPort);
  });

  test('surroundings that cannot be are 78, with what they take', async (t) => {
    const { folder: cwd } = new Project(t, { 'integration.yaml': answering('hi') });
    const level = await runDowel(['run', 'integration.yaml'], { cwd, env: { LOG_LEVEL: 'loud' } });
    assert.deepEqual(
      [level.code, level.stderr],
      [78, 'dowel: LOG_LEVEL is "loud"; it takes debug, info, warn, error\n'],
    );
    const drain = await runDowel(['run', 'integration.yaml'], { cwd, env: { DOWEL_DRAIN_TIMEOUT: '25' } });
    assert.equal(drain.code, 78);
    assert.match(drain.stderr, /^dowel: DOWEL_DRAIN_TIMEOUT is "25"; a duration is a number with a unit/);
    const calls = await runDowel(['run', 'integration.yaml'], { cwd, env: { LOG_CALLS: 'yes' } });
    assert.deepEqual([calls.code, calls.stderr], [78, 'dowel: LOG_CALLS is "yes"; it takes off, debug, info\n']);
  });

  test('a line for each message: as the file says, and LOG_CALLS wins over it', async (t) => {
    const project = new Project(t, { 'integration.yaml': `${answering('hi')}log: { calls: info }\n` });
    const lineOf = async (env: Readonly<Record<string, string>>): Promise<LogLine | undefined> => {
      await using dowel = await startDowel(project.path(), { env });
      assert.equal((await fetch(dowel.url)).status, 200);
      await dowel.stop();
      return dowel.logged('message ended');
    };
    const line = await lineOf({});
    assert.deepEqual(
      [line?.level, line?.['source'], line?.['outcome'], line?.['status'], typeof line?.['ms']],
      ['info', 'http', 'done', 200, 'number'],
    );
    assert.equal(await lineOf({ LOG_CALLS: 'off', LOG_LEVEL: 'debug' }), undefined);
    assert.equal(await lineOf({ LOG_CALLS: 'debug' }), undefined);
    assert.equal((await lineOf({ LOG_CALLS: 'debug', LOG_LEVEL: 'debug' }))?.level, 'debug');
  });

  test('LOG_LEVEL wins over the file', async (t) => {
    const { folder: cwd } = new Project(t, { 'integration.yaml': `${answering('hi')}log: { level: debug }\n` });
    const { stdout } = await runDowel(['run', 'integration.yaml', '--exit-when-ready'], {
      cwd,
      env: { LOG_LEVEL: 'error' },
    });
    assert.equal(stdout, '');
  });

  test('a module that cannot be loaded is 69, and says why', async (t) => {
    const { folder: cwd } = new Project(t, {
      'integration.yaml': serving('- script: { module: ./broken.ts }\n- respond: { status: 200 }'),
      'broken.ts': 'throw new Error("no such luck");',
    });
    const { code, stderr } = await runDowel(['run', 'integration.yaml'], { cwd });
    assert.equal(code, 69);
    assert.match(stderr, /broken\.ts could not be opened: no such luck/);
  });

  test('an error that nobody handles is one log line and 70', async (t) => {
    const { folder: cwd } = new Project(t, {
      'integration.yaml': serving('- script: { module: ./late.ts }\n- respond: { status: 200 }'),
      'late.ts': 'export default () => { setImmediate(() => { throw new Error("too late"); }); };',
    });
    await using dowel = await startDowel('integration.yaml', { cwd });
    await fetch(dowel.url).catch(() => undefined);
    assert.equal((await dowel.ended).code, 70);
    assertJsonLines(dowel.stdout);
    const line = dowel.log.find((one) => one['detail'] === 'too late');
    assert.equal(line?.level, 'error');
  });
});

describe('stopping', () => {
  test('SIGTERM: the request in flight is finished, new ones are not taken, then 0', async (t) => {
    const far = await heldService(t);
    const project = new Project(t, { 'integration.yaml': serving('- call: { endpoint: far }', farEndpoint(far)) });
    await using dowel = await startDowel(project.path());
    const answer = fetch(dowel.url);
    await far.waiting(1);
    dowel.kill('SIGTERM');
    await dowel.until('it is stopping', () => dowel.logged('stopping') !== undefined);
    assert.equal(dowel.logged('stopping')?.['inFlight'], 1);
    await eventually('nobody can connect any more', async () => !(await listens(Number(new URL(dowel.url).port))));
    assert.equal(dowel.exit, undefined, 'it waits for the request');
    far.release();
    const { status, headers } = await answer;
    assert.equal(status, 200);
    assert.equal(headers.get('connection'), 'close');
    assert.deepEqual(await dowel.ended, { code: 0, signal: null });
    assert.equal(dowel.logged('stopped')?.['givenUp'], 0);
    assertJsonLines(dowel.stdout);
    assert.equal(dowel.stderr, '');
  });

  test('what is not finished in time is given up, named, and the process ends with 3', async (t) => {
    const far = await heldService(t);
    const project = new Project(t, { 'integration.yaml': serving('- call: { endpoint: far }', farEndpoint(far)) });
    await using dowel = await startDowel(project.path(), { env: { DOWEL_DRAIN_TIMEOUT: '100ms' } });
    const answer = fetch(dowel.url).then(
      ({ status }) => status,
      () => 'cut off',
    );
    await far.waiting(1);
    assert.deepEqual(await dowel.stop(), { code: 3, signal: null });
    assert.notEqual(await answer, 200);
    const line = dowel.logged('a message was given up');
    assert.equal(line?.level, 'error');
    assert.equal(line?.['flow'], 'main');
    assert.equal(dowel.logged('stopped')?.['givenUp'], 1);
  });

  test('a step that never ends, and leaves a timer behind, cannot keep the process', async (t) => {
    const project = new Project(t, {
      'integration.yaml': serving('- script: { module: ./hang.ts }\n- respond: { status: 200 }'),
      'hang.ts':
        'export default () => { setInterval(() => {}, 1000); console.error("begun"); return new Promise(() => {}); };',
    });
    await using dowel = await startDowel(project.path(), { env: { DOWEL_DRAIN_TIMEOUT: '50ms' } });
    const request = fetch(dowel.url).catch(() => undefined);
    await dowel.until('the step has begun', () => dowel.stderr.includes('begun'));
    assert.deepEqual(await dowel.stop(), { code: 3, signal: null });
    await request;
  });

  test('a second signal ends the process at once, while a message is still in flight', async (t) => {
    for (const [signal, code] of [
      ['SIGTERM', 143],
      ['SIGINT', 130],
    ] as const) {
      const far = await heldService(t);
      const project = new Project(t, { 'integration.yaml': serving('- call: { endpoint: far }', farEndpoint(far)) });
      await using dowel = await startDowel(project.path());
      const answer = fetch(dowel.url).catch(() => 'cut off');
      await far.waiting(1);
      dowel.kill('SIGTERM');
      await dowel.until('it is stopping', () => dowel.logged('stopping') !== undefined);
      // One Ctrl-C may arrive as several signals: only a later one is a second.
      await eventually('the second signal is heard', () => {
        if (!dowel.exit) dowel.kill(signal);
        return dowel.exit !== undefined;
      });
      assert.deepEqual(dowel.exit, { code, signal: null });
      assert.equal(await answer, 'cut off');
      assert.equal(dowel.logged('stopped'), undefined);
    }
  });

  test('SIGINT alone is a stop like SIGTERM', async (t) => {
    const project = new Project(t, { 'integration.yaml': answering('hi') });
    await using dowel = await startDowel(project.path());
    assert.deepEqual(await dowel.stop('SIGINT'), { code: 0, signal: null });
    assert.equal(dowel.logged('stopping')?.['signal'], 'SIGINT');
  });

  test('drain and file source: a file in work is finished and put away', async (t) => {
    const far = await heldService(t);
    const project = new Project(t, {
      'integration.yaml': `dowel: 1
name: test
${farEndpoint(far)}
flows:
  main:
    from: { file: { path: ./in, settle: 0s, every: 10ms } }
    steps: [ { call: { endpoint: far, as: answer } } ]
`,
      'in/a.txt': 'a',
      'in/b.txt': 'b',
    });
    await using dowel = await startDowel(project.path());
    await far.waiting(1);
    dowel.kill('SIGTERM');
    await dowel.until('it is stopping', () => dowel.logged('stopping') !== undefined);
    far.release();
    assert.deepEqual(await dowel.ended, { code: 0, signal: null });
    assert.deepEqual(await list(project.folder, 'in'), ['.done', '.failed', 'b.txt']);
    assert.deepEqual(await list(project.folder, 'in', '.done'), ['a.txt']);
  });
});
