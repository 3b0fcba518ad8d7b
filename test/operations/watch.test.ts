import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import fs, { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { watchFiles } from '../../src/operations/watch.ts';
import { eventually } from '../support/eventually.ts';

const folder = (t: TestContext): string => {
  const path = mkdtempSync(join(tmpdir(), 'dowel-watch-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
};

describe('watching files', () => {
  test('tells of a change, and from then on watches what it is told', async (t) => {
    const at = folder(t);
    const [a, b] = [join(at, 'a.yaml'), join(at, 'b.json')];
    writeFileSync(a, '1');
    writeFileSync(b, '1');
    let told = 0;
    const watcher = await watchFiles([a], async () => {
      told++;
      return [a, b];
    });
    t.after(() => watcher.close());
    writeFileSync(a, '2');
    await eventually('the change is told', () => told === 1);
    // The second file may need a moment until it is watched; a change is told when the file has come to rest.
    let written = 0;
    await eventually('a change of the second file is told', () => {
      if (performance.now() - written > 500) {
        written = performance.now();
        writeFileSync(b, String(written));
      }
      return told >= 2;
    });
  });

  test('a change that the system does not tell is seen all the same, once', async (t) => {
    const deaf = Object.assign(new EventEmitter(), { close() {}, ref() {}, unref() {} }) as unknown as fs.FSWatcher;
    t.mock.method(fs, 'watch', () => deaf);
    syncBuiltinESMExports();
    const file = join(folder(t), 'a.yaml');
    writeFileSync(file, '1');
    let told = 0;
    const watcher = await watchFiles([file], async () => {
      told++;
      return [file];
    });
    t.after(async () => {
      await watcher.close();
      t.mock.restoreAll();
      syncBuiltinESMExports();
    });
    writeFileSync(file, 'two');
    await eventually('the change is told', () => told === 1);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.equal(told, 1);
    rmSync(file);
    await eventually('that it is gone is told', () => told === 2);
    writeFileSync(file, '3');
    await eventually('that it is there again is told', () => told === 3);
  });

  test('an editor that replaces the file by another is a change', async (t) => {
    const at = folder(t);
    const file = join(at, 'a.yaml');
    writeFileSync(file, '1');
    let told = 0;
    const watcher = await watchFiles([file], async () => {
      told++;
      return [file];
    });
    t.after(() => watcher.close());
    writeFileSync(join(at, '.swap'), '2');
    renameSync(join(at, '.swap'), file);
    await eventually('the change is told', () => told >= 1);
  });

  test('the swap of a Kubernetes ConfigMap is a change', async (t) => {
    const at = folder(t);
    for (const version of ['1', '2']) {
      mkdirSync(join(at, `..${version}`));
      writeFileSync(join(at, `..${version}`, 'integration.yaml'), `version ${version}`);
    }
    symlinkSync('..1', join(at, '..data'));
    const file = join(at, 'integration.yaml');
    symlinkSync(join('..data', 'integration.yaml'), file);
    let told = 0;
    const watcher = await watchFiles([file], async () => {
      told++;
      return [file];
    });
    t.after(() => watcher.close());
    symlinkSync('..2', join(at, '..data_tmp'));
    renameSync(join(at, '..data_tmp'), join(at, '..data'));
    rmSync(join(at, '..1'), { recursive: true });
    await eventually('the change is told', () => told >= 1);
  });

  test('one change at a time: those that come meanwhile are told together', async (t) => {
    const at = folder(t);
    const file = join(at, 'a.yaml');
    writeFileSync(file, '0');
    let running = 0;
    let most = 0;
    let told = 0;
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const watcher = await watchFiles([file], async () => {
      told++;
      most = Math.max(most, ++running);
      await held;
      running--;
      return [file];
    });
    t.after(() => watcher.close());
    writeFileSync(file, '1');
    await eventually('the change is told', () => told === 1);
    writeFileSync(file, '22');
    release();
    await eventually('the second change is told', () => told === 2);
    assert.equal(most, 1);
  });
});
