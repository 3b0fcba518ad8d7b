import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Environment, root } from '../support/child-process.ts';
import { fences, requestOf } from '../support/page.ts';
import { ask, folder, startExample } from './example.ts';

/** What a page shows as `…` is another one each time. */
const filled = (shown: object, body: object): object =>
  Object.fromEntries(
    Object.entries(shown).map(([key, value]) => [key, value === '…' ? String(Reflect.get(body, key)) : value]),
  );

/** An answer as a page shows it: of a JSON object the keys that matter. */
function assertShown(shown: string, status: number, body: unknown): void {
  const [first = '', , ...rest] = shown.split('\n');
  assert.equal(status, Number(first.split(' ')[1]), `${first}, but: ${JSON.stringify(body)}`);
  const text = rest.join('\n').trim();
  if (typeof body === 'string') {
    assert.equal(body, text);
    return;
  }
  const expected: unknown = JSON.parse(text);
  if (Array.isArray(expected) || typeof body !== 'object' || body === null) assert.deepEqual(body, expected);
  else assert.partialDeepStrictEqual(body, filled(expected as object, body));
}

/** The page of an example starts what it says, and is answered as it says. `env`: what it needs besides, when it is started. */
export function testPage(name: string, env: (temporary: string) => Environment = () => ({})): void {
  describe(`the page of ${name}`, () => {
    const page = readFileSync(join(folder, name, 'README.md'), 'utf8');
    const all = fences(page);

    test('starts what exists, and all that is needed', async () => {
      const files = [...page.matchAll(/^npx dowel run (\S+)$/gm)].map(([, file = '']) => file);
      assert.ok(files.includes(`integrations/${name}/integration.yaml`));
      for (const file of files) assert.ok(existsSync(join(root, file)), file);
    });

    test('shows requests that are answered as it says', async (t) => {
      const temporary = mkdtempSync(join(tmpdir(), 'dowel-page-'));
      t.after(() => rmSync(temporary, { recursive: true }));
      await using example = await startExample(name, {
        AUDIT_FILE: join(temporary, 'audit.jsonl'),
        JOURNAL_FILE: join(temporary, 'journal.db'),
        STORE_FILE: join(temporary, 'store.db'),
        ...env(temporary),
      });
      const started = new Set(
        [...page.matchAll(/^npx dowel run \S*?([^/\s]+)\/integration\.yaml$/gm)].map(([, one]) => one),
      );
      assert.deepEqual(started, new Set([...Object.keys(example.backends), name]));
      let requests = 0;
      for (const [index, fence] of all.entries()) {
        if (fence.language !== 'sh' || !fence.text.startsWith('curl')) continue;
        const { url, init } = requestOf(fence.text);
        const { port, pathname, search } = new URL(url);
        const part = example.byUsualPort.get(port);
        assert.ok(part, `nothing of this example listens on ${port}`);
        const answer = await ask(`${part.url}${pathname}${search}`, init);
        const next = all[index + 1];
        assert.equal(next?.language, 'http', `an answer is shown after: ${fence.text}`);
        assertShown(next?.text ?? '', answer.status, answer.body);
        requests++;
      }
      assert.ok(requests >= 3, `${requests} requests are shown`);
    });
  });
}
