import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../support/child-process.ts';
import { DowelProcess, runDowel, startDowel } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';
import { freePort, takenPort } from '../support/free-port.ts';
import { farEndpoint, heldService } from './support/held-service.ts';
import { answering, Project, serving } from './support/project.ts';

/** Where it listens: `dev` speaks to people, on stderr. */
const urlOf = (dowel: DowelProcess): string => {
  const [, port] = /(?<!admin )listening .*\bport=(\d+)/.exec(dowel.stderr) ?? [];
  assert.ok(port, dowel.stderr);
  return `http://127.0.0.1:${port}/`;
};

const textOf = async (dowel: DowelProcess): Promise<unknown> => {
  const answer = await fetch(urlOf(dowel));
  return ((await answer.json()) as { text?: unknown }).text ?? answer.status;
};

/** The new version is live within the time that `eventually` gives. */
const goesLive = (dowel: DowelProcess, text: unknown): Promise<void> =>
  eventually(`${text} is answered`, async () => (await textOf(dowel)) === text).catch((error: Error) => {
    throw new Error(dowel.describe(error.message));
  });

const start = (project: Project): Promise<DowelProcess> => startDowel(project.path(), { command: 'dev' });

test('an edit of the file goes live, again and again; nothing is written to stdout', async (t) => {
  const project = new Project(t, { 'integration.yaml': answering('v0') });
  await using dowel = await start(project);
  assert.equal(await textOf(dowel), 'v0');
  for (const version of ['v1', 'v2', 'v3']) {
    project.write('integration.yaml', answering(version));
    await goesLive(dowel, version);
  }
  assert.deepEqual(await dowel.stop(), { code: 0, signal: null });
  assert.equal(dowel.stdout, '');
});

test('each message leaves a line for the person who watches', async (t) => {
  const project = new Project(t, { 'integration.yaml': answering('hi') });
  await using dowel = await start(project);
  await textOf(dowel);
  await eventually('a line', () => / info .* message ended {2}flow=\S+ .*outcome=done status=200 /.test(dowel.stderr));
  await using quiet = await startDowel(project.path(), { command: 'dev', env: { LOG_CALLS: 'off' } });
  await textOf(quiet);
  await quiet.stop();
  assert.doesNotMatch(quiet.stderr, /message ended/);
});

test('an edit of a file that it refers to goes live: schema, module, and one that was added by an edit', async (t) => {
  const project = new Project(t, {
    'integration.yaml': serving(
      '- validate: { schema: ./body.json }\n- script: { module: ./words.ts, as: text }\n- respond: { status: 200, body: { text: "${{ $text }}" } }',
    ),
    'body.json': '{}',
    'words.ts': 'export default () => "one";',
  });
  await using dowel = await start(project);
  assert.equal(await textOf(dowel), 'one');
  project.write('words.ts', 'export default () => "two";');
  await goesLive(dowel, 'two');
  project.write('body.json', '{ "type": "object" }');
  await goesLive(dowel, 400);
  project.write('body.json', '{}');
  await goesLive(dowel, 'two');
  project.write('other.json', '{ "type": "object" }');
  project.write(
    'integration.yaml',
    serving('- validate: { schema: ./other.json }\n- respond: { status: 200, body: { text: three } }'),
  );
  await goesLive(dowel, 400);
  project.write('other.json', '{}');
  await goesLive(dowel, 'three');
});

test('a request in flight finishes on the old version while the new one answers', async (t) => {
  const far = await heldService(t);
  const project = new Project(t, {
    'integration.yaml': serving(
      '- call: { endpoint: far }\n- respond: { status: 200, body: { text: old } }',
      farEndpoint(far),
    ),
  });
  await using dowel = await start(project);
  const old = textOf(dowel);
  await far.waiting(1);
  project.write('integration.yaml', answering('new'));
  await dowel.until('it is reloaded', () => dowel.stderr.includes('reloaded'));
  assert.equal(await textOf(dowel), 'new');
  project.write('integration.yaml', answering('newer'));
  await goesLive(dowel, 'newer');
  far.release();
  assert.equal(await old, 'old');
});

test('a broken edit is explained and the old version goes on; the corrected one goes live', async (t) => {
  const project = new Project(t, { 'integration.yaml': answering('v1') });
  await using dowel = await start(project);
  project.write('integration.yaml', serving('- respnd: { status: 200 }'));
  await dowel.until('it is explained', () => dowel.stderr.includes('The version before goes on.'));
  assert.match(dowel.stderr, /integration\.yaml:9:9 error: .*did you mean `respond`/);
  assert.equal(await textOf(dowel), 'v1');
  project.write('integration.yaml', 'flows: [ }');
  await dowel.until('it is explained too', () => dowel.stderr.includes('yaml-syntax'));
  assert.equal(await textOf(dowel), 'v1');
  project.write('integration.yaml', answering('v2'));
  await goesLive(dowel, 'v2');
  assert.equal(dowel.exit, undefined);
});

test('an edit that is valid but cannot be opened is explained and the old version goes on', async (t) => {
  const project = new Project(t, { 'integration.yaml': answering('v1'), 'bad.ts': 'throw new Error("not today");' });
  await using dowel = await start(project);
  project.write('integration.yaml', serving('- script: { module: ./bad.ts }\n- respond: { status: 200 }'));
  await dowel.until('it is explained', () => /bad\.ts could not be opened: not today/.test(dowel.stderr));
  assert.equal(await textOf(dowel), 'v1');
  project.write('bad.ts', 'export default () => ({ text: "mended" });');
  await goesLive(dowel, 'mended');
});

test('an edit of the address takes the port over from the version before', async (t) => {
  const port = await freePort();
  const at = (host: string, text: string): string =>
    answering(text).replace('server: { port: 0 }', `server: { port: ${port}, host: ${host} }`);
  const project = new Project(t, { 'integration.yaml': at('127.0.0.1', 'narrow') });
  await using dowel = await start(project);
  assert.equal(await textOf(dowel), 'narrow');
  project.write('integration.yaml', at('0.0.0.0', 'wide'));
  await goesLive(dowel, 'wide');
  project.write('integration.yaml', at('127.0.0.1', 'narrow again'));
  await goesLive(dowel, 'narrow again');
  assert.doesNotMatch(dowel.stderr, /could not be opened/);
});

test('an address that cannot be opened leaves the version before where it was', async (t) => {
  const port = await freePort();
  await using other = await takenPort();
  const at = (host: string, more: number): string =>
    answering('v1').replace('server: { port: 0 }', `server: { port: ${more}, host: ${host} }`);
  const project = new Project(t, { 'integration.yaml': at('127.0.0.1', port) });
  await using dowel = await start(project);
  project.write('integration.yaml', at('0.0.0.0', other.port));
  await dowel.until('it is explained', () => dowel.stderr.includes('another process uses it'));
  assert.equal(await textOf(dowel), 'v1');
});

test('a new address with something else that cannot be opened: the version before answers where it did', async (t) => {
  const port = await freePort();
  const project = new Project(t, { 'a-file': 'no folder', 'integration.yaml': '' });
  const at = (host: string, text: string, more = ''): string =>
    answering(text).replace('server: { port: 0 }', `server: { port: ${port}, host: ${host} }`) + more;
  project.write('integration.yaml', at('127.0.0.1', 'v1'));
  await using dowel = await start(project);
  assert.equal(await textOf(dowel), 'v1');
  const more = '  other:\n    from: { file: { path: ./a-file/in } }\n    steps: [ { stop: {} } ]\n';
  project.write('integration.yaml', at('0.0.0.0', 'v2', more));
  await dowel.until('it is explained', () => dowel.stderr.includes('The version before goes on.'));
  assert.match(dowel.stderr, /a-file/);
  assert.equal(await textOf(dowel), 'v1');
  project.write('integration.yaml', at('0.0.0.0', 'v3'));
  await goesLive(dowel, 'v3');
});

test('a start with a broken file waits for the correction, also with a missing referenced file', async (t) => {
  const project = new Project(t, {
    'integration.yaml': serving('- validate: { schema: ./body.json }\n- respond: { status: 200, body: { text: hi } }'),
  });
  await using dowel = new DowelProcess(process.execPath, [join(root, 'bin', 'dowel.js'), 'dev', project.path()]);
  await dowel.until('it is explained', () => dowel.stderr.includes('Correct the file and save it.'));
  assert.match(dowel.stderr, /integration\.yaml:9:\d+ error: .*body\.json/);
  project.write('body.json', '{}');
  await dowel.until('it is ready', () => / ready {2}/.test(dowel.stderr));
  assert.equal(await textOf(dowel), 'hi');
});

test('a file that an editor replaces, or removes and writes anew, goes live', async (t) => {
  const project = new Project(t, { 'integration.yaml': answering('v0') });
  await using dowel = await start(project);
  for (const version of ['v1', 'v2']) {
    project.write('.swap', answering(version));
    renameSync(project.path('.swap'), project.path());
    await goesLive(dowel, version);
  }
  rmSync(project.path());
  await dowel.until('it is missed', () => dowel.stderr.includes('The version before goes on.'));
  assert.equal(await textOf(dowel), 'v2');
  project.write('integration.yaml', answering('v3'));
  await goesLive(dowel, 'v3');
});

test('the swap of a Kubernetes ConfigMap goes live', async (t) => {
  const project = new Project(t);
  for (const version of ['v1', 'v2']) project.write(`..${version}/integration.yaml`, answering(version));
  mkdirSync(project.path('volume'));
  symlinkSync('../..v1', project.path('volume/..data'));
  symlinkSync('..data/integration.yaml', project.path('volume/integration.yaml'));
  await using dowel = await startDowel(project.path('volume/integration.yaml'), { command: 'dev' });
  await dowel.until('it watches', () => dowel.stderr.includes('watching integration.yaml'));
  assert.equal(await textOf(dowel), 'v1');
  symlinkSync('../..v2', project.path('volume/..new'));
  renameSync(project.path('volume/..new'), project.path('volume/..data'));
  rmSync(project.path('..v1'), { recursive: true });
  await goesLive(dowel, 'v2');
});

test('SIGTERM finishes what is in flight; too late is 3', async (t) => {
  const far = await heldService(t);
  const project = new Project(t, { 'integration.yaml': serving('- call: { endpoint: far }', farEndpoint(far)) });
  {
    await using dowel = await startDowel(project.path(), { command: 'dev', env: { DOWEL_DRAIN_TIMEOUT: '50ms' } });
    const cut = fetch(urlOf(dowel)).catch(() => undefined);
    await far.waiting(1);
    assert.deepEqual(await dowel.stop(), { code: 3, signal: null });
    await cut;
  }
  const other = await heldService(t);
  project.write('integration.yaml', serving('- call: { endpoint: far }', farEndpoint(other)));
  await using dowel = await start(project);
  const answer = fetch(urlOf(dowel));
  await other.waiting(1);
  dowel.kill('SIGTERM');
  // Asks for what is not there: a request that comes in just before would wait for the service too.
  await eventually('it takes nothing new', () =>
    fetch(new URL('/nothing-is-here', urlOf(dowel))).then(
      ({ status }) => status === 503,
      () => true,
    ),
  );
  other.release();
  assert.equal((await answer).status, 200);
  assert.deepEqual(await dowel.ended, { code: 0, signal: null });
});

test('secrets stay out of what is written', async (t) => {
  const project = new Project(t, {
    'integration.yaml': serving(
      '- log: { message: "key ${{ $query.key }}" }\n- respond: { status: 200 }',
      'config: { KEY: { secret: true } }',
    ),
  });
  await using dowel = await startDowel(project.path(), { command: 'dev', env: { KEY: 'canary-4711' } });
  await fetch(`${urlOf(dowel)}?key=canary-4711`);
  await dowel.until('it is logged', () => dowel.stderr.includes('key ***'));
  assert.ok(!dowel.stderr.includes('canary-4711'));
});

test('a file that is not there is wrong usage, as everywhere', async () => {
  assert.equal((await runDowel(['dev', 'nowhere.yaml'])).code, 2);
});

test('its admin server tells of the version that runs now, and is asked for metrics as under `run`', async (t) => {
  const versioned = (version: string, more = ''): string =>
    answering(version).replace('name:', `version: "${version}"\nadmin: { port: 0${more} }\nname:`);
  const project = new Project(t, { 'integration.yaml': versioned('1.0.0') });
  await using dowel = await start(project);
  const [, port] = /admin listening .*\bport=(\d+)/.exec(dowel.stderr) ?? [];
  const ask = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  assert.match(await ask('/status'), /"version":"1\.0\.0"/);
  assert.match(await ask('/metrics'), /^dowel_info\{integration="[^"]+",version="1\.0\.0",/m);
  assert.equal(await textOf(dowel), '1.0.0');
  project.write('integration.yaml', versioned('1.0.1'));
  await goesLive(dowel, '1.0.1');
  assert.match(await ask('/status'), /"version":"1\.0\.1"/);
  const metrics = await ask('/metrics');
  assert.match(metrics, /^dowel_info\{[^}]*version="1\.0\.1"/m);
  assert.doesNotMatch(metrics, /version="1\.0\.0"/);
  // What was counted before the reload stays counted.
  assert.match(metrics, /^dowel_messages_total\{[^}]*outcome="done",code=""\} ([2-9]|\d\d)/m);
});

test('an admin port that is taken, where the file insists on it, is said; the integration runs all the same', async (t) => {
  await using other = await takenPort();
  const yaml = answering('one').replace('name:', `admin: { port: ${other.port} }\nname:`);
  const project = new Project(t, { 'integration.yaml': yaml });
  await using dowel = await start(project);
  assert.match(
    dowel.stderr,
    new RegExp(`there is no admin server .*\\bport=${other.port}\\b.*set another \`admin.port\``),
  );
  assert.equal(await textOf(dowel), 'one');
});
