import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileGlob, globProblem } from '../../../connectors/file/glob.ts';
import { targetOf } from '../../../connectors/file/target.ts';
import { seededRandom } from '../../../src/core/random.ts';
import { eventually } from '../../support/eventually.ts';
import { plainCodec } from '../../support/plain-context.ts';
import { Inbox } from './support/inbox.ts';

const alphabet = [...'abcXYZ019 ._-+%$&!~#@()[]{}\'"`,;=^*?|<>:\\\n\täßñ東京🎈é\u0301\u200f'];

/** Names that a file system takes and that are not hidden. */
function randomNames(count: number, seed: number): readonly string[] {
  const random = seededRandom(seed);
  const names = new Set<string>();
  while (names.size < count) {
    const length = 1 + Math.floor(random.next() * 40);
    const name = Array.from({ length }, () => alphabet[Math.floor(random.next() * alphabet.length)]).join('');
    if (!name.startsWith('.')) names.add(name);
  }
  return [...names];
}

test('whatever files are called, each is taken once, with its content, and keeps its name', async (t) => {
  const inbox = await Inbox.make(t);
  const flow = inbox.flow();
  const names = randomNames(200, 7);
  for (const name of names) await inbox.put(name, `content of ${name}`);
  await inbox.source({}, { deliver: flow.record, concurrency: 4 });
  await eventually('all are done', async () => (await inbox.list('.done')).length === names.length);
  assert.deepEqual([...flow.names].sort(), [...names].sort());
  assert.deepEqual(await inbox.list('.done'), [...names].sort());
  for (const { message } of flow.deliveries) {
    assert.equal(String(await message.body.bytes(plainCodec)), `content of ${message.origin.source?.['name']}`);
  }
});

test('glob: a star is any text, a question mark one character, braces one of several', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['*', 'anything.at all', true],
    ['*', 'with\nnewline', true],
    ['*', '.hidden', false],
    ['*.csv', 'a.csv', true],
    ['*.csv', 'a.csv.bak', false],
    ['*.csv', '.csv', false],
    ['order-?.json', 'order-1.json', true],
    ['order-?.json', 'order-12.json', false],
    ['order-?.json', 'order-🎈.json', true],
    ['*.{csv,json}', 'a.json', true],
    ['*.{csv,json}', 'a.xml', false],
    ['{a,b*}.txt', 'bcd.txt', true],
    ['a+b(1).[x]', 'a+b(1).[x]', true],
    ['a+b(1).[x]', 'aab1.x', false],
  ];
  for (const [glob, name, expected] of cases) {
    assert.equal(globProblem(glob), undefined, glob);
    assert.equal(compileGlob(glob)(name), expected, `${glob} ~ ${JSON.stringify(name)}`);
  }
});

test('glob: what can match nothing is explained', () => {
  assert.match(globProblem('') ?? '', /empty glob/);
  assert.match(globProblem('sub/*.csv') ?? '', /sub-folders are left alone/);
  assert.match(globProblem('.*') ?? '', /begin with a dot/);
  assert.match(globProblem('*.{csv') ?? '', /needs its `}`/);
});

test('endpoint: no name from a message leads out of the folder', () => {
  const bad = [
    '../x',
    'a/b',
    '/etc/passwd',
    '..',
    '.',
    '.hidden',
    'a\\b',
    '..\\x',
    '',
    'a\u0000b',
    'a\nb',
    'x'.repeat(256),
  ];
  for (const name of [...bad, null, true, { a: 1 }, ['x']]) {
    assert.throws(
      () => targetOf('/data/out', { name }),
      { code: 'validation', kind: 'permanent' },
      JSON.stringify(name),
    );
  }
  assert.deepEqual(targetOf('/data/out', { name: '2026 order ü..json' }), {
    path: '/data/out/2026 order ü..json',
    chosen: true,
  });
  assert.deepEqual(targetOf('/data/out', { name: 17 }), { path: '/data/out/17', chosen: true });
  assert.deepEqual(targetOf('/data/out', {}), { path: '/data/out', chosen: false });
});
