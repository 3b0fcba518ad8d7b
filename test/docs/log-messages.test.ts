/** What the log says at `warn` and `error` stands on the pages for people on call, and what stands there is said. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { root } from '../support/child-process.ts';

const read = (file: string): string => readFileSync(`${root}${file}`, 'utf8');
const sources = globSync(['src/**/*.ts', 'connectors/**/*.ts'], { cwd: root }).map((file) => ({
  file,
  text: read(file),
}));
const all = sources.map(({ text }) => text).join('\n');

/** A backtick cannot stand in code of Markdown. */
const plain = (message: string): string => message.replaceAll('`', '').replaceAll('\\', '');

/** Lines whose message is no text at the place where it is written: what they say. */
const indirect: Readonly<Record<string, readonly string[]>> = {
  'src/flow/end-all.ts': ['something could not be stopped', 'something could not be closed'],
  'src/flow/generation.ts': ['a message waits for the version of the definition that it began with'],
  'src/flow/intake.ts': ['a message waits for the version of the definition that it began with'],
  'src/flow/durable-queue/queue.ts': [
    'what waits in a queue could not be looked for',
    'what waits in a queue could not be read',
    'a message that is done could not be removed from its queue',
  ],
  'connectors/mqtt/connection.ts': [
    'The MQTT broker cannot be used: trying again and again',
    'The connection to the MQTT broker was lost: connecting again',
  ],
  'connectors/kafka/source.ts': [
    'records are gone before they were read',
    'the partition ends before what was read: it begins anew',
  ],
};

const call = /\b(?:log|logger)\??\.(?:warn|error)\(\s*(?:'([^']*)')?/gi;
const refrain = /level: '(?:warn|error)',\s*message: '([^']*)'/g;

function saidIn({ file, text }: { readonly file: string; readonly text: string }): readonly string[] {
  const calls = [...text.matchAll(call)].map(([, message]) => message);
  if (calls.includes(undefined)) assert.ok(indirect[file], `${file} logs what this test cannot read: say what it is`);
  const direct = calls.filter((message) => message !== undefined);
  return [...direct, ...[...text.matchAll(refrain)].map(([, message = '']) => message), ...(indirect[file] ?? [])];
}

const said = new Set(sources.flatMap(saidIn).map(plain));

/** The first cells of the tables. */
const told = (page: string): readonly string[] =>
  read(page)
    .split('\n')
    .filter((line) => /^\| `.*\| (?:debug|info|warn|error)[a-z, ]* \|/.test(line))
    .flatMap((line) => [...(line.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, message = '']) => message));

const pages = ['docs/operations.md', 'docs/log-messages.md'];

test('every message of level warn and error is told', () => {
  assert.ok(said.size > 90, `${said.size} messages were found`);
  const listed = new Set(pages.flatMap(told));
  assert.deepEqual(
    [...said].filter((message) => !listed.has(message)),
    [],
  );
});

test('what is told is said', () => {
  const listed = pages.flatMap(told);
  assert.ok(listed.length > 100, `${listed.length} messages were found`);
  const sourceText = plain(all);
  const indirectly = new Set(Object.values(indirect).flat());
  for (const message of indirectly) {
    const [start = ''] = message.split(/ (?=stopped|closed)/);
    assert.ok(sourceText.includes(start), message);
  }
  assert.deepEqual(
    listed.filter((message) => !sourceText.includes(message) && !indirectly.has(message)),
    [],
  );
});
