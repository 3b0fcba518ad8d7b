import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { mainFlow, startEngine } from '../support/engine.ts';

const counter = 'let count = 0;\nexport const up = () => ++count;\nexport const now = () => count;\n';
const up = '- script: { module: ./counter.ts, export: up }\n';

describe('a module of a script', () => {
  test('is one module for all steps that use it', async (t) => {
    const yaml = mainFlow(`${up}${up}- script: { module: ./counter.ts, export: now }`);
    const engine = await startEngine(t, yaml, { files: { 'counter.ts': counter } });
    assert.equal((await engine.send()).body, 2);
  });

  test('stays as it is when the integration is reloaded, and is read again when its file has changed', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'dowel-modules-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const engine = await startEngine(t, mainFlow('- respond: { body: nothing yet }'));
    await engine.start(folder, mainFlow(up), { files: { 'counter.ts': counter } });
    assert.equal((await engine.send()).body, 1);

    await engine.clock.advance(1);
    await engine.start(folder, mainFlow(`${up}${up}`), {});
    assert.equal((await engine.send()).body, 3);

    await engine.start(folder, mainFlow(up), { files: { 'counter.ts': counter.replace('= 0', '= 100') } });
    assert.equal((await engine.send()).body, 101);
  });
});
