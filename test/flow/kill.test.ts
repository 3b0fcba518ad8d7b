import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { finished, root, scriptArgs } from '../support/child-process.ts';
import { runDurable } from '../support/durable-run.ts';
import { mainFlow } from '../support/engine.ts';

const script = join(root, 'test/support/durable-process.ts');

const step = (name: string): string =>
  `- call: { endpoint: a, test: { path: "${name}" }, as: ${name}, compensate: [ { call: { endpoint: a, test: { path: "undo-${name}" }, idempotent: true } } ] }`;
const saga = (end: string): string =>
  mainFlow(`- saga:\n    steps:\n      ${step('flight')}\n      ${step('hotel')}\n      ${end}`).replace(
    '  out: { oneway: {} }\n',
    '',
  );

/** Runs a process that is killed at a write; then this one takes up what it left: what happened outside. */
async function killedAt(
  t: TestContext,
  yaml: string,
  at: number,
  when: 'before' | 'after',
): Promise<{ readonly effects: readonly string[]; readonly killed: boolean }> {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-kill-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'integration.yaml');
  writeFileSync(file, yaml);
  const { signal } = await finished(process.execPath, scriptArgs(script, folder, file, String(at), when, 'send'));
  await runDurable({ folder, file, what: 'resume' });
  const outside = join(folder, 'outside.txt');
  const effects = existsSync(outside) ? readFileSync(outside, 'utf8').trimEnd().split('\n') : [];
  // An undo that says it may be repeated is, when its result was not kept.
  const once = effects.filter((one, index) => !one.startsWith('undo-') || one !== effects[index - 1]);
  return { effects: once, killed: signal === 'SIGKILL' };
}

const outcomes = (forward: boolean): readonly string[] => {
  const all = 'flight,hotel';
  const undone = 'flight,hotel,undo-hotel,undo-flight';
  // A step of which nobody knows whether it was done is undone, too: the service bears that nothing was.
  const unknown = ['undo-flight', 'flight,undo-flight', 'flight,undo-hotel,undo-flight', undone];
  return forward ? ['', all, ...unknown] : ['', undone, ...unknown];
};

describe('a process that is killed at any write of its journal, and started again', () => {
  for (const [title, end, forward] of [
    ['does what was begun, once', '- stop: {}', true],
    ['undoes what was begun, once', '- call: { endpoint: a, test: { path: no-car } }', false],
  ] as const) {
    test(title, async (t) => {
      let points = 0;
      for (const when of ['before', 'after'] as const) {
        for (let at = 1; ; at++) {
          const { effects, killed } = await killedAt(t, saga(end), at, when);
          if (!killed) {
            assert.equal(effects.join(), forward ? 'flight,hotel' : 'flight,hotel,undo-hotel,undo-flight');
            break;
          }
          points++;
          assert.ok(outcomes(forward).includes(effects.join()), `killed ${when} write ${at}: ${effects.join()}`);
          if (at > 1 || when === 'after') assert.notEqual(effects.join(), '', `killed ${when} write ${at}: lost`);
        }
      }
      assert.ok(points >= 12, `only ${points} points`);
    });
  }
});
