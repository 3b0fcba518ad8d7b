import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { finished, root } from '../support/child-process.ts';

/** The sources as somebody has them who installed no optional package. */
function bare(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-bare-'));
  t.after(() => rmSync(folder, { recursive: true }));
  cpSync(join(root, 'src'), join(folder, 'src'), { recursive: true });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  return folder;
}

/** Opens a store there, and prints the error, or the modules that were loaded for it. */
async function openIn(
  folder: string,
  options: unknown,
): Promise<{ code?: string; message?: string; loaded: string[] }> {
  const at = (path: string): string => JSON.stringify(pathToFileURL(join(folder, path)).href);
  mkdirSync(join(folder, 'data'), { recursive: true });
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
    const { openStore } = await import(${at('src/store/open.ts')});
    const { systemClock: clock } = await import(${at('src/core/clock.ts')});
    const log = { debug() {}, info() {}, warn() {}, error() {}, debugging: false };
    const world = { clock, log, integration: 'test', folder: ${JSON.stringify(join(folder, 'data'))}, onFatal() {} };
    const tell = (told) => process.stdout.write(JSON.stringify({ ...told, loaded }));
    await openStore(${JSON.stringify(options)}, world).then(
      async (store) => { await store.close(); tell({}); },
      ({ code, message }) => tell({ code, message }),
    );`;
  const file = join(folder, 'open.mjs');
  writeFileSync(file, script);
  const { stdout, stderr, code } = await finished(process.execPath, [file], { cwd: folder });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

describe('opening a store', () => {
  test('a client that is not installed is named, with the command that installs it', async (t) => {
    const folder = bare(t);
    const redis = await openIn(folder, { redis: { url: 'redis://127.0.0.1:1', durability: 'always', timeout: 1000 } });
    assert.equal(redis.code, 'startup');
    assert.match(
      redis.message ?? '',
      /The store `redis` .*not installed. Run `npm install --save-prod @redis\/client@6`/,
    );
    const postgres = await openIn(folder, {
      postgres: { url: 'postgresql://127.0.0.1:1', connections: 1, timeout: 1000 },
    });
    assert.equal(postgres.code, 'startup');
    assert.match(postgres.message ?? '', /The store `postgres` .*not installed. Run `npm install --save-prod pg@8`/);
  });

  test('only the code of the store that is asked for is loaded', async (t) => {
    const folder = bare(t);
    const memory = await openIn(folder, { memory: {} });
    assert.equal(memory.message, undefined);
    assert.deepEqual(
      memory.loaded.filter((url) => /sqlite|redis|postgres/.test(url)),
      [],
    );
    const sqlite = await openIn(folder, undefined);
    assert.equal(sqlite.message, undefined);
    assert.ok(sqlite.loaded.some((url) => url.endsWith('/sqlite/store.ts')));
    assert.deepEqual(
      sqlite.loaded.filter((url) => /redis|postgres/.test(url)),
      [],
    );
  });
});
