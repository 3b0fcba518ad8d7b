import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { prettyLog } from '../../src/operations/logger.ts';

const canary = 'c4n4ry-s3cr3t';

describe('the console of dev', () => {
  const lines = (level: string, color: boolean): string => {
    let out = '';
    const write = (text: string): void => {
      out += text;
    };
    const log = prettyLog({ level, base: {}, secrets: () => [canary], color, write });
    log.debug('quiet');
    log.info('started', { port: 8080, why: undefined, tags: ['a'] });
    log.error('broken', { detail: `token ${canary}` });
    return out;
  };

  test('one line each: time, level, text, facts; nothing below its level', () => {
    const [first, second, ...rest] = lines('info', false).trimEnd().split('\n');
    assert.match(first ?? '', /^\d\d:\d\d:\d\d info {2}started {2}port=8080 tags=\["a"\]$/);
    assert.match(second ?? '', /^\d\d:\d\d:\d\d error broken {2}detail=token \*\*\*$/);
    assert.deepEqual(rest, []);
    assert.match(lines('debug', false), /quiet/);
  });

  test('colour only where it is asked for', () => {
    assert.equal(lines('info', false).includes('\x1b'), false);
    assert.equal(lines('info', true).includes('\x1b[31m'), true);
  });
});

describe('the log of run', () => {
  test('is JSON lines, one fact a field, without secrets, complete when the process ends', () => {
    const module = fileURLToPath(new URL('../../src/operations/logger.ts', import.meta.url));
    const script = `
      const { jsonLog } = await import(${JSON.stringify(module)});
      const log = jsonLog({ level: 'info', base: { integration: 'shop', version: '1.0.0' }, secrets: () => [${JSON.stringify(canary)}] });
      log.debug('not written');
      for (let i = 0; i < 1000; i++) log.info('tick', { i });
      log.warn('retried', { url: 'http://${canary}@x' });
      process.exit(0);`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    const written = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.equal(written.length, 1001);
    const last = written.at(-1) ?? {};
    assert.equal(last['level'], 'warn');
    assert.equal(last['message'], 'retried');
    assert.equal(last['integration'], 'shop');
    assert.equal(last['version'], '1.0.0');
    assert.equal(last['url'], 'http://***@x');
    assert.ok(!Number.isNaN(Date.parse(String(last['time']))));
  });
});
