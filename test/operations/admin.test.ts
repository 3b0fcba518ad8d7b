import assert from 'node:assert/strict';
import http from 'node:http';
import { describe, test } from 'node:test';
import { startAdmin } from '../../src/operations/admin.ts';
import { recordingLog } from '../support/plain-context.ts';
import { emptyWorld } from './admin/support.ts';

const world = emptyWorld();

describe('the admin server', () => {
  test('is alive from the start, started for ever, ready when the integration is', async (t) => {
    const health = { ...world, ready: false, started: false };
    const admin = await startAdmin(health, { host: '127.0.0.1', port: 0, insist: false }, recordingLog());
    t.after(() => admin.close());
    const ask = async (path: string): Promise<number> => (await fetch(`http://127.0.0.1:${admin.port}${path}`)).status;
    assert.deepEqual([await ask('/livez'), await ask('/readyz'), await ask('/startupz')], [200, 503, 503]);
    health.started = true;
    assert.deepEqual([await ask('/livez'), await ask('/readyz'), await ask('/startupz')], [200, 503, 200]);
    health.ready = true;
    assert.deepEqual([await ask('/livez'), await ask('/readyz'), await ask('/startupz')], [200, 200, 200]);
    health.ready = false;
    assert.deepEqual([await ask('/livez'), await ask('/readyz'), await ask('/startupz')], [200, 503, 200]);
    assert.equal(await ask('/other'), 404);
  });

  test('a connection that it cannot accept is logged, and ends nothing', async (t) => {
    const made = t.mock.method(http, 'createServer');
    const log = recordingLog();
    const admin = await startAdmin(world, { host: '127.0.0.1', port: 0, insist: false }, log);
    t.after(() => admin.close());
    const server = made.mock.calls[0]?.result;
    server?.emit('error', new Error('accept ENOBUFS'));
    const line = log.lines.at(-1);
    assert.deepEqual(
      [line?.level, line?.message, line?.fields['detail']],
      ['error', 'admin server error', 'accept ENOBUFS'],
    );
    assert.equal((await fetch(`http://127.0.0.1:${admin.port}/livez`)).status, 200);
  });

  test('takes a free port when its own is taken, unless the file asked for it', async (t) => {
    const log = recordingLog();
    const first = await startAdmin(world, { host: '127.0.0.1', port: 0, insist: false }, log);
    t.after(() => first.close());
    const second = await startAdmin(world, { host: '127.0.0.1', port: first.port, insist: false }, log);
    t.after(() => second.close());
    assert.notEqual(second.port, first.port);
    assert.equal(log.lines.at(-1)?.fields['port'], second.port);
    const insisting = startAdmin(world, { host: '127.0.0.1', port: first.port, insist: true }, log);
    await assert.rejects(insisting, {
      code: 'startup',
      message: `The admin port ${first.port} of 127.0.0.1 could not be opened: another process uses it; stop that one, or set another \`admin.port\``,
    });
  });
});
