/** The walk through dead letters is walked. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../support/child-process.ts';
import { type DowelProcess, runDowel, startDowel } from '../support/dowel-process.ts';
import { freePorts } from '../support/free-port.ts';
import { type Fence, fences, requestOf } from '../support/page.ts';

const page = readFileSync(join(root, 'docs/dead-letters.md'), 'utf8');
const walk = fences(page.slice(page.indexOf('## A walk through'), page.indexOf('## What to do')));

const id = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/;
/** What is another one each time. */
const alike = (text: string): string =>
  text
    .replaceAll(new RegExp(id, 'g'), 'ID')
    .replaceAll(/\b[\da-f]{32}\b/g, 'TRACE')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/\(\d+ s ago\)/g, '(AGO)')
    // Each client sends its own.
    .replaceAll(/^header .*\n/gm, '');

test('the walk through dead letters shows what happens', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-walk-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [shop = 0, admin = 0, warehouse = 0, other = 0] = await freePorts(4);
  const moved = (text: string): string =>
    text
      .replaceAll('9400', String(admin))
      .replaceAll('9101', String(warehouse))
      .replaceAll('localhost:8080', `127.0.0.1:${shop}`);
  const files = walk.filter(({ language }) => language === 'yaml').map(({ text }) => text);
  for (const text of files) {
    const name = text.includes('name: warehouse') ? 'warehouse' : 'integration';
    const server = name === 'integration' ? `\nserver: { port: ${shop} }\n` : `\nadmin: { port: ${other} }\n`;
    writeFileSync(join(folder, `${name}.yaml`), moved(text) + server);
  }
  const running: DowelProcess[] = [];
  t.after(() => Promise.all(running.map((one) => one[Symbol.asyncDispose]())));
  let token = '';
  let real = '';
  let shown = 0;
  const env = () => ({ ADMIN_TOKEN: token });
  const step = async ({ text }: Fence, next: Fence | undefined): Promise<void> => {
    for (const line of text.trim().split('\n')) {
      const [, value] = /^export ADMIN_TOKEN=(\S+)$/.exec(line) ?? [];
      const [, file] = /^npx dowel run (\S+)$/.exec(line) ?? [];
      const [, args] = /^npx (?:dowel) (dead-letters .*)$/.exec(line) ?? [];
      if (value !== undefined) token = value;
      else if (file !== undefined) running.push(await startDowel(join(folder, file), { env: env(), cwd: folder }));
      else if (line.startsWith('curl')) {
        const { url, init } = requestOf(moved(line));
        assert.equal((await fetch(url, init)).status, 202);
        await running[0]?.until(
          'a dead letter',
          () => running[0]?.logged('a message was moved to the dead letters') !== undefined,
        );
      } else if (args !== undefined) {
        const { code, stdout, stderr } = await runDowel(args.replace(id, real).split(' '), { env: env(), cwd: folder });
        assert.equal(code, 0, stderr);
        assert.equal(alike(stdout), alike(moved(next?.text ?? '')));
        if (args.includes(' show ')) assert.match(stdout, /^header +content-type: application\/json$/m);
        assert.equal(next?.language, 'text');
        real = id.exec(stdout)?.[0] ?? real;
        shown++;
      } else throw new Error(`the test does not know this line: ${line}`);
    }
  };
  for (const [index, fence] of walk.entries()) if (fence.language === 'sh') await step(fence, walk[index + 1]);
  assert.equal(shown, 3);
  const { stderr } = await runDowel(['dead-letters', 'list', 'integration.yaml'], { env: env(), cwd: folder });
  assert.equal(stderr, 'no dead letters\n');
});

test('every code that the page names is one', async () => {
  const { errorNames } = await import('../../src/errors.ts');
  const table = page.slice(page.indexOf('## What to do'), page.indexOf('**Before you replay'));
  const first = table.split('\n').flatMap((line) => (line.startsWith('| ') ? [line.split('|')[1] ?? ''] : []));
  const named = first.flatMap((cell) => [...cell.matchAll(/`([a-z0-9-]+)`/g)].map(([, code = '']) => code));
  assert.ok(named.length > 10);
  for (const code of named) assert.ok(errorNames.has(code) || /^http-(\d{3}|[45]xx)$/.test(code), code);
});
