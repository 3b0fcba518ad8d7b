import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { finished, root, scriptArgs } from '../support/child-process.ts';
import { runDurable } from '../support/durable-run.ts';
import { mainFlow } from '../support/engine.ts';

const script = join(root, 'test/support/durable-process.ts');
const messages = ['1', '2', '3', '4'];

const yaml = mainFlow(
  `- aggregate: { complete: { size: 2 }, collect: n }\n- call: { endpoint: a, test: { path: "list-\${{ $join($map($, $string), '-') }}" }, as: done }`,
).replace('  out: { oneway: {} }\n', '');

interface Outcome {
  /** What the rest of the flow was run over, in order. */
  readonly lists: readonly string[];
  readonly killed: boolean;
}

/** A process is killed at one of its writes; what it did not acknowledge is sent again to this one, which takes up the rest. */
async function killedAt(t: TestContext, at: number, when: 'before' | 'after'): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-aggregate-kill-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'integration.yaml');
  writeFileSync(file, yaml);
  const outside = join(folder, 'outside.txt');
  const lines = (): readonly string[] =>
    existsSync(outside) ? readFileSync(outside, 'utf8').trimEnd().split('\n') : [];
  const args = scriptArgs(script, folder, file, String(at), when, messages.join(','));
  const { signal } = await finished(process.execPath, args);
  const acknowledged = new Set(
    lines()
      .filter((line) => line.startsWith('acknowledged '))
      .map((line) => line.slice(13)),
  );
  const again = messages.filter((n) => !acknowledged.has(n));
  // `0`: that nothing waits is seen with one message more, which joins nobody.
  await runDurable({ folder, file, what: (again.length > 0 ? again : ['0']).map(Number) });
  return { lists: lines().filter((line) => line.startsWith('list-')), killed: signal === 'SIGKILL' };
}

describe('an aggregate whose process is killed at any write, before it or after it', () => {
  for (const when of ['before', 'after'] as const) {
    test(`loses no message and adds none twice: killed ${when} the write`, async (t) => {
      let points = 0;
      for (let at = 1; ; at++) {
        const { lists, killed } = await killedAt(t, at, when);
        if (!killed) break;
        points++;
        // The crash may have come between what was done and the note of it: then it is done once more, the same.
        assert.deepEqual([...new Set(lists)], ['list-1-2', 'list-3-4'], `killed ${when} write ${at}`);
        assert.ok(lists.length <= 3, `killed ${when} write ${at}: ${lists.join()}`);
      }
      assert.ok(points >= 6, `only ${points} points`);
    });
  }
});
