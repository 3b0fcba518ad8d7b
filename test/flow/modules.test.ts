import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
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

  const refused = async (t: TestContext, files: Readonly<Record<string, string>>): Promise<string> => {
    const yaml = mainFlow('- script: { module: ./main.ts }');
    const error: unknown = await startEngine(t, yaml, { files }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof Error, 'it was opened');
    return error.message.replaceAll(/\S+\//g, '');
  };

  test('that cannot be read says in which line', async (t) => {
    assert.equal(
      await refused(t, { 'main.ts': 'const a = 1;\nexport default () => {\n  return a +;\n};\n' }),
      'The module main.ts could not be opened: Expression expected main.ts:3)',
    );
    assert.equal(
      await refused(t, {
        'main.ts': '\nimport { a } from "./other.ts";\nexport default () => a;\n',
        'other.ts': '\n\nexport const a = 1;\nthrow new Error("boo");\n',
      }),
      'The module main.ts could not be opened: boo other.ts:4)',
    );
  });

  test('that imports a type as a value, or needs a compiler, says what to write', async (t) => {
    assert.match(
      await refused(t, {
        'main.ts': '\nimport { T } from "./types.ts";\nexport default (): T => 1;\n',
        'types.ts': 'export type T = 1;\n',
      }),
      /main\.ts:2\); if that is a type: `import type`$/,
    );
    assert.match(
      await refused(t, { 'main.ts': 'enum Color { red }\nexport default () => Color.red;\n' }),
      /enum is not supported .* main\.ts:1\); types are taken out and nothing is compiled/,
    );
  });
});
