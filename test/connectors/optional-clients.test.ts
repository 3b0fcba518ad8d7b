import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { finished, root } from '../support/child-process.ts';

/** Where each of them looks for its server: nobody is there, and that is not what the start shall end with. */
const endpoints = {
  nats: '{ url: "nats://127.0.0.1:1", subject: s }',
  redis: '{ url: "redis://127.0.0.1:1", stream: s }',
} as const;

const installs = {
  nats: /NATS at 127\.0\.0\.1:1 could not be opened: it needs a package that is not installed\. Run `npm install --save-prod @nats-io\/transport-node@3 @nats-io\/jetstream@3`/,
  redis:
    /Redis at 127\.0\.0\.1:1 could not be opened: it needs a package that is not installed\. Run `npm install --save-prod @redis\/client@6`/,
} as const;

for (const name of ['nats', 'redis'] as const) {
  test(`${name}: a client that is not installed ends the start with the command that installs it`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'dowel-bare-'));
    t.after(() => rmSync(folder, { recursive: true }));
    for (const part of ['src', 'connectors', 'bin', 'package.json']) {
      cpSync(join(root, part), join(folder, part), { recursive: true });
    }
    mkdirSync(join(folder, 'node_modules'));
    for (const one of readdirSync(join(root, 'node_modules'))) {
      if (one.startsWith('.') || one === '@nats-io' || one === '@redis') continue;
      symlinkSync(join(root, 'node_modules', one), join(folder, 'node_modules', one));
    }
    const file = join(folder, 'integration.yaml');
    const flows = 'flows: { f: { from: { timer: { every: 1h } }, steps: [ { send: { endpoint: e } } ] } }';
    writeFileSync(
      file,
      `dowel: 1\nname: t\nadmin: { port: 0 }\nendpoints: { e: { ${name}: ${endpoints[name]} } }\n${flows}\n`,
    );
    const { code, stdout, stderr } = await finished(process.execPath, [join(folder, 'bin', 'dowel.js'), 'run', file], {
      cwd: folder,
    });
    assert.equal(code, 69, stdout + stderr);
    assert.match(stdout + stderr, installs[name]);
  });
}
