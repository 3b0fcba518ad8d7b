/** Tests of integrations, run in this process: YAML of both in, what the tests found out. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { connectors } from '../../connectors/index.ts';
import { testTools } from '../../src/cli/test-tools.ts';
import { type PreparedTests, prepareTests } from '../../src/testing/prepare.ts';
import { sentenceOf } from '../../src/testing/report/values.ts';
import { type FileResult, type RunOptions, runTests } from '../../src/testing/run.ts';

/** Written from column 0; `integration.yaml` and `integration.test.yaml`, and whatever they refer to. */
export type Files = Readonly<Record<string, string>>;

export async function prepared(t: TestContext, files: Files): Promise<PreparedTests> {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-tested-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return prepareTests(join(folder, 'integration.test.yaml'), testTools());
}

/** Throws when there are mistakes in the files. */
export async function results(t: TestContext, files: Files, options?: RunOptions): Promise<FileResult> {
  const ready = await prepared(t, files);
  assert.deepEqual(mistakes(ready), []);
  return runTests(ready, connectors, options);
}

/** All that was found, by test, as people read it. */
export async function findings(t: TestContext, files: Files): Promise<Readonly<Record<string, readonly string[]>>> {
  const { tests } = await results(t, files);
  return Object.fromEntries(tests.map((one) => [one.name, one.differences.map(sentenceOf)]));
}

/** As {@link findings} of one integration and one list of tests: all of them must pass. */
export async function passes(t: TestContext, integration: string, tests: string): Promise<void> {
  const found = await findings(t, { 'integration.yaml': integration, 'integration.test.yaml': testFile(tests) });
  assert.notDeepEqual(Object.keys(found), []);
  for (const [name, one] of Object.entries(found)) assert.deepEqual(one, [], name);
}

/** Every mistake with its place: `3:5 message`. */
export const mistakes = ({ checked }: PreparedTests): readonly string[] =>
  checked.flatMap((one) => one.diagnostics.map((each) => `${each.line}:${each.column} ${each.message}`));

/** The keys that every test file has, and these. */
export const testFile = (rest: string): string => `dowelTest: 1\nintegration: ./integration.yaml\n${rest}`;

/** A flow, `main`, over http with these steps (written from column 0), which calls the endpoint `far`. */
export const serving = (steps: string, policies = '', flow = ''): string => `dowel: 1
name: tried
endpoints:
  far: { http: { url: http://localhost:9 }${policies === '' ? '' : `, ${policies}`} }
  events: { amqp: { url: amqp://localhost:9, exchange: { name: events, type: topic } } }
flows:
  main:
    from: { http: { method: POST, path: /main } }
${flow === '' ? '' : `    ${flow}\n`}    steps:
${steps
  .trim()
  .split('\n')
  .map((line) => `      ${line}`)
  .join('\n')}
`;
