import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, test } from 'node:test';
import { packageRoot, schemaSeenFrom } from '../../src/cli/scaffold.ts';
import { finished, root } from '../support/child-process.ts';
import { runDowel, startDowel } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { Project } from './support/project.ts';

const schemaLine = (file: string): string => readFileSync(file, 'utf8').split('\n')[0] ?? '';

for (const kind of ['http', 'timer', 'file']) {
  test(`--from ${kind}: is valid as it is, says what it wrote, and its editor schema is where it says`, async (t) => {
    const { folder: cwd } = new Project(t);
    const made = await runDowel(['new', 'my-orders', '--from', kind], { cwd });
    assert.equal(made.code, 0, made.stderr);
    const listed = made.stdout.trim().split('\n');
    for (const file of listed) assert.ok(existsSync(join(cwd, file)), file);
    for (const file of ['integration.yaml', 'integration.test.yaml', 'README.md', '.gitignore'])
      assert.ok(listed.includes(`my-orders/${file}`), file);
    const { code, stdout } = await runDowel(['validate', 'my-orders/integration.yaml'], { cwd });
    assert.deepEqual([code, stdout], [0, 'my-orders/integration.yaml: valid\n']);
    const tested = await runDowel(['test', '--min-coverage', '100'], { cwd: join(cwd, 'my-orders') });
    assert.equal(tested.code, 0, tested.stdout);
    assert.equal(
      schemaLine(join(cwd, 'my-orders', 'integration.test.yaml')),
      '# yaml-language-server: $schema=./test.schema.json',
    );
    const text = readFileSync(join(cwd, 'my-orders', 'integration.yaml'), 'utf8');
    assert.match(text, /^name: my-orders$/m);
    const [, schema = ''] =
      /^# yaml-language-server: \$schema=(\S+)$/.exec(schemaLine(join(cwd, 'my-orders', 'integration.yaml'))) ?? [];
    const read = JSON.parse(readFileSync(join(cwd, 'my-orders', schema), 'utf8')) as Record<string, unknown>;
    assert.ok(read['properties']);
    assert.match(readFileSync(join(cwd, 'my-orders', 'README.md'), 'utf8'), /^# my-orders$/m);
  });
}

test('http: what the README shows with curl is what happens', async (t) => {
  const { folder: cwd } = new Project(t);
  await runDowel(['new', 'greeter'], { cwd });
  const folder = join(cwd, 'greeter');
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const port = await freePort();
  await using dowel = await startDowel('integration.yaml', { cwd: folder, env: { PORT: String(port) } });
  assert.ok(dowel.url.endsWith(`:${port}`));
  const lines = readme.split('\n').filter((line) => line.startsWith('curl '));
  assert.equal(lines.length, 2);
  const answers = [];
  for (const line of lines) answers.push(await finished('bash', ['-c', line.replace('8080', String(port))]));
  assert.match(answers[0]?.stdout ?? '', /^HTTP\/1\.1 200 .*\r\n\r\n\{"text":"Bonjour, Ada!"\}$/s);
  assert.ok(readme.includes('{"text":"Bonjour, Ada!"}'));
  assert.match(answers[1]?.stdout ?? '', /^HTTP\/1\.1 400 /);
  const problem = JSON.parse(answers[1]?.stdout.split('\r\n\r\n')[1] ?? '') as { findings: unknown[] };
  assert.ok(problem.findings.length >= 2, 'every reason');
});

test('timer: writes the line that the README speaks of', async (t) => {
  const { folder: cwd } = new Project(t);
  await runDowel(['new', 'ticker', '--from', 'timer'], { cwd });
  await using dowel = await startDowel('integration.yaml', { cwd: join(cwd, 'ticker'), env: { EVERY: '1h' } });
  await eventually('the first line is written', () => existsSync(join(cwd, 'ticker', 'ticks.jsonl')));
  assert.deepEqual(await dowel.stop(), { code: 0, signal: null });
  const [line = ''] = readFileSync(join(cwd, 'ticker', 'ticks.jsonl'), 'utf8').split('\n');
  assert.equal((JSON.parse(line) as { tick: number }).tick, 1);
  assert.ok(dowel.logged('tick 1'));
});

test('file: the orders of the README come out as it says', async (t) => {
  const { folder: cwd } = new Project(t);
  await runDowel(['new', 'adder', '--from', 'file'], { cwd });
  const folder = join(cwd, 'adder');
  await using dowel = await startDowel('integration.yaml', { cwd: folder });
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const lines = readme.split('\n').filter((line) => line.startsWith('echo '));
  assert.equal(lines.length, 2);
  for (const line of lines) assert.equal((await finished('bash', ['-c', line], { cwd: folder })).code, 0);
  const failed = join(folder, 'inbox', '.failed', 'a2.json.error.json');
  await eventually('both are worked on', () => existsSync(join(folder, 'outbox', 'A1.json')) && existsSync(failed));
  const sum = readFileSync(join(folder, 'outbox', 'A1.json'), 'utf8');
  assert.ok(readme.includes(`\`${sum}\``), sum);
  assert.deepEqual(await dowel.stop(), { code: 0, signal: null });
  assert.deepEqual(readdirSync(join(folder, 'inbox', '.done')), ['a1.json']);
});

test('in a folder where npx does not find dowel it says how it will; in a checkout there is no need', async (t) => {
  const { folder: cwd } = new Project(t);
  const elsewhere = await runDowel(['new', 'orders'], { cwd });
  assert.ok(elsewhere.stderr.endsWith(`so that npx finds dowel there:  npm install --global ${packageRoot}\n`));
  const name = `.cache/made-by-a-test-${process.pid}`;
  t.after(() => rmSync(join(root, name), { recursive: true }));
  const here = await runDowel(['new', name]);
  assert.equal(here.code, 0, here.stderr);
  assert.doesNotMatch(here.stderr, /npm install/);
});

test('needs nothing but the code: a container image has no folder of schemas', async (t) => {
  const { folder: cwd } = new Project(t);
  for (const part of ['package.json', 'bin', 'src', 'connectors']) {
    cpSync(join(root, part), join(cwd, 'app', part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(cwd, 'app', 'node_modules'));
  const { code, stderr } = await finished(process.execPath, ['app/bin/dowel.js', 'new', 'orders'], { cwd });
  assert.equal(code, 0, stderr);
  const written = readFileSync(join(cwd, 'orders', 'integration.schema.json'), 'utf8');
  assert.equal(written, (await runDowel(['schema'])).stdout);
  const ofTests = readFileSync(join(cwd, 'orders', 'test.schema.json'), 'utf8');
  assert.equal(ofTests, (await runDowel(['schema', '--tests'])).stdout);
});

test('the line for editors points into the package where the project has it, else to a copy', () => {
  const inPackage = (folder: string, home: string) =>
    schemaSeenFrom(join(sep, ...folder.split('/')), join(sep, ...home.split('/')));
  const schema = 'schemas/integration.schema.json';
  assert.equal(inPackage('shop/orders', 'shop/node_modules/dowel'), `../node_modules/dowel/${schema}`);
  assert.equal(inPackage('shop/a/b', 'shop/node_modules/dowel'), `../../node_modules/dowel/${schema}`);
  assert.equal(inPackage('src/dowel/integrations/x', 'src/dowel'), `../../${schema}`);
  assert.equal(inPackage('home/me/orders', 'usr/lib/node_modules/dowel'), './integration.schema.json');
  assert.equal(inPackage('src/dowel-too/x', 'src/dowel'), './integration.schema.json');
});

describe('refusals: one line, 2, and nothing is written', () => {
  const refused = async (cwd: string, name: string, says: RegExp) => {
    const before = readdirSync(cwd).sort();
    const { code, stdout, stderr } = await runDowel(['new', '--', name], { cwd });
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, says);
    assert.equal(stderr.trimEnd().split('\n').length, 1);
    assert.deepEqual(readdirSync(cwd).sort(), before);
  };

  test('a name that is none, with one that would do', async (t) => {
    const { folder: cwd } = new Project(t);
    await refused(cwd, 'my orders!', /^dowel: "my orders!" is no name for an integration: .*; for example my-orders$/m);
    await refused(cwd, '1st', /for example st$/m);
    await refused(
      cwd,
      '日本',
      /^dowel: "日本" is no name for an integration: letters, digits, - and _, beginning with a letter$/m,
    );
    await refused(cwd, '-x', /is no name/);
    await refused(cwd, '/', /is no name/);
  });

  test('a folder with something in it, or a file', async (t) => {
    const { folder: cwd } = new Project(t, { 'full/x': '', file: '' });
    await refused(cwd, 'full', /^dowel: full is there already, and not an empty folder; choose another name$/m);
    await refused(cwd, 'file', /^dowel: file is there already, and not an empty folder; choose another name$/m);
  });

  test('a place where nothing can be written', async (t) => {
    const { folder: cwd } = new Project(t, { file: '' });
    await refused(cwd, 'file/x', /^dowel: file\/x cannot be made: .*ENOTDIR/m);
  });
});

test('an empty folder is filled; a path names the place, its last part the integration', async (t) => {
  const { folder: cwd } = new Project(t);
  mkdirSync(join(cwd, 'empty'));
  writeFileSync(join(cwd, 'other'), '');
  assert.equal((await runDowel(['new', 'empty'], { cwd })).code, 0);
  assert.equal((await runDowel(['new', 'deep/in/orders'], { cwd })).code, 0);
  assert.match(readFileSync(join(cwd, 'deep/in/orders/integration.yaml'), 'utf8'), /^name: orders$/m);
  assert.equal((await runDowel(['new', 'true'], { cwd })).code, 0);
  assert.equal((await runDowel(['validate', '{true,empty,deep/in/orders}/integration.yaml'], { cwd })).code, 0);
});
