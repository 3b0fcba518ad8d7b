import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { emptyDesk } from '../../../src/cli/dead-letters/empty.ts';
import { customFailure, failure } from '../../../src/errors.ts';
import type { DeadLetterDesk } from '../../../src/flow/dead-letters/desk.ts';
import { startAdmin } from '../../../src/operations/admin.ts';
import { type RecordingLog, recordingLog } from '../../support/plain-context.ts';
import { emptyWorld } from './support.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Served {
  readonly port: number;
  readonly log: RecordingLog;
  ask(path: string, question?: Ask): Promise<Answer>;
}

/** `calls`: what was asked of the desk. */
async function served(
  t: TestContext,
  options: { readonly token?: string; readonly host?: string; readonly desk?: Partial<DeadLetterDesk> } = {},
): Promise<Served> {
  const log = recordingLog();
  const desk = { ...emptyDesk, ...options.desk };
  const world = { ...emptyWorld(), deadLetters: async () => desk };
  const { token, host = '127.0.0.1' } = options;
  const admin = await startAdmin(world, { host, port: 0, insist: false, token }, log);
  t.after(() => admin.close());
  // Not by fetch: it sets headers of its own, and refuses some of those that matter here.
  const ask = (path: string, { method = 'GET', headers: given = {}, body }: Ask = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = body === undefined ? given : { ...given, 'content-length': String(body.length) };
      const asking = request(
        { host: '127.0.0.1', port: admin.port, path, method, headers, agent: false },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => {
            const json = /json/.test(response.headers['content-type'] ?? '') ? JSON.parse(text) : {};
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
          });
        },
      );
      asking.on('error', reject);
      asking.end(body);
    });
  return { port: admin.port, log, ask };
}

const bearer = (token: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });

describe('who may ask the admin server', () => {
  test('without a token things are told on the loopback interface, and nothing is changed', async (t) => {
    const { ask } = await served(t);
    assert.equal((await ask('/dead-letters')).status, 200);
    const changes = [
      ['POST', '/dead-letters/a/replay'],
      ['DELETE', '/dead-letters/a?why=x'],
    ] as const;
    for (const [method, path] of changes) {
      const answer = await ask(path, { method });
      assert.deepEqual([answer.status, answer.json['code']], [403, 'no-admin-token']);
      assert.match(String(answer.json['detail']), /admin: \{ token: "\$\{ADMIN_TOKEN\}" \}/);
    }
  });

  test('without a token nothing is told where others than this machine can ask', async (t) => {
    const { ask } = await served(t, { host: '0.0.0.0' });
    const answer = await ask('/dead-letters');
    assert.deepEqual([answer.status, answer.json['code']], [403, 'no-admin-token']);
    assert.equal((await ask('/readyz')).status, 200);
  });

  test('with a token everything but the probes wants it', async (t) => {
    const { ask } = await served(t, { token: 'open-sesame', host: '0.0.0.0' });
    for (const headers of [{}, bearer('open-sesam'), bearer('open-sesame2'), { authorization: 'open-sesame' }]) {
      for (const path of ['/dead-letters', '/dead-letters/a', '/nothing']) {
        const answer = await ask(path, { headers });
        assert.deepEqual([answer.status, answer.json['code']], [401, 'unauthorized']);
        assert.match(String(answer.headers['www-authenticate']), /^Bearer/);
      }
    }
    assert.equal((await ask('/dead-letters', { headers: bearer('open-sesame') })).status, 200);
    const nothing = await ask('/nothing', { headers: bearer('open-sesame') });
    assert.equal(nothing.status, 404);
    assert.match(String(nothing.json['detail']), /^Nothing is served at \/nothing; there are \//);
    assert.equal((await ask('/livez')).status, 200);
  });

  test('a name of a stranger that leads here is refused, and so is every web page', async (t) => {
    const { ask } = await served(t);
    for (const host of ['evil.example', 'evil.example:9400', 'localhost.evil.example', '127.0.0.1.evil.example']) {
      assert.equal((await ask('/dead-letters', { headers: { host } })).status, 403, host);
    }
    for (const host of ['localhost', 'localhost:9400', '127.0.0.1:1', '[::1]:9400']) {
      assert.equal((await ask('/dead-letters', { headers: { host } })).status, 200, host);
    }
    const { ask: withToken } = await served(t, { token: 'open-sesame' });
    const headers = { ...bearer('open-sesame'), origin: 'http://localhost:3000' };
    assert.equal((await withToken('/dead-letters', { headers })).status, 403);
    assert.equal((await withToken('/dead-letters', { method: 'OPTIONS', headers })).status, 403);
  });
});

describe('what the admin server answers', () => {
  const token = 'open-sesame';
  const headers = bearer(token);

  test('JSON that nobody keeps, with the name of the integration', async (t) => {
    const { ask } = await served(t, { token });
    for (const path of ['/dead-letters', '/dead-letters/none', '/nothing']) {
      const answer = await ask(path, { headers });
      assert.equal(answer.headers['dowel-integration'], 'shop');
      assert.equal(answer.headers['cache-control'], 'no-store');
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
      assert.match(
        String(answer.headers['content-type']),
        answer.status === 200 ? /^application\/json$/ : /problem\+json$/,
      );
      assert.equal(answer.headers['access-control-allow-origin'], undefined);
    }
  });

  test('problems with their status and code; of a bug nothing but that it is in the log', async (t) => {
    const failures = [
      [failure('store', { store: 'sqlite', detail: 'the disk is full' }), 503, /disk is full/],
      [customFailure('no-letter', 'permanent', 404, 'no such letter'), 404, /no such letter/],
      [failure('stopping', {}, { kind: 'cancelled' }), 503, /stopping/],
      [new TypeError('canary is not a function'), 500, /^An internal error/],
    ] as const;
    for (const [thrown, status, detail] of failures) {
      const { ask, log } = await served(t, { token, desk: { show: () => Promise.reject(thrown) } });
      const answer = await ask('/dead-letters/a', { headers });
      assert.equal(answer.status, status);
      assert.equal(answer.json['status'], status);
      assert.match(String(answer.json['detail']), detail);
      assert.equal(log.lines.filter(({ level }) => level === 'error').length, status === 500 ? 1 : 0);
    }
  });

  test('a path that is not there, a method that is not, a parameter that is not', async (t) => {
    const { ask } = await served(t, { token });
    assert.equal((await ask('/dead-letter', { headers })).status, 404);
    assert.equal((await ask('/dead-letters/a/b/c', { headers })).status, 404);
    assert.equal((await ask('/dead-letters/%zz', { headers })).status, 404);
    assert.equal((await ask('//', { headers })).status, 404);
    const wrong = await ask('/dead-letters/a', { method: 'PUT', headers });
    assert.deepEqual([wrong.status, wrong.headers['allow']], [405, 'GET, DELETE']);
    const bad = ['?flo=x', '?limit=0', '?limit=1001', '?limit=x', '?since=tomorrow', '?order=up', '?flow=a&flow=b'];
    for (const query of bad) {
      const answer = await ask(`/dead-letters${query}`, { headers });
      assert.deepEqual([answer.status, answer.json['code']], [400, 'bad-request'], query);
    }
    assert.equal((await ask('/dead-letters/a/replay?with=newest', { method: 'POST', headers })).status, 400);
  });

  test('a list is asked for as the query says', async (t) => {
    const asked: unknown[] = [];
    const list: DeadLetterDesk['list'] = async (query) => {
      asked.push(query);
      return { letters: [], next: 'more' };
    };
    const { ask } = await served(t, { token, desk: { list } });
    const query =
      'flow=a%20b&code=http-5xx&since=2026-01-01T00:00:00Z&until=2026-01-02&order=oldest&limit=7&after=k%20k';
    const answer = await ask(`/dead-letters?${query}`, { headers });
    assert.deepEqual(answer.json, { letters: [], next: 'more' });
    assert.deepEqual(asked, [
      {
        flow: 'a b',
        code: 'http-5xx',
        since: Date.UTC(2026, 0, 1),
        until: Date.UTC(2026, 0, 2),
        order: 'oldest',
        limit: 7,
        after: 'k k',
      },
    ]);
  });

  test('replay and discard reach the desk; a discard says why', async (t) => {
    const asked: unknown[] = [];
    const desk: Partial<DeadLetterDesk> = {
      replay: async (id, which) => {
        asked.push(['replay', id, which]);
        return { outcome: 'done', id };
      },
      discard: async (id, why) => void asked.push(['discard', id, why]),
      body: async () => Uint8Array.of(0, 255, 10),
    };
    const { ask } = await served(t, { token, desk });
    assert.deepEqual((await ask('/dead-letters/a%2Fb/replay', { method: 'POST', headers })).json, {
      outcome: 'done',
      id: 'a/b',
    });
    await ask('/dead-letters/a/replay?with=original', { method: 'POST', headers });
    assert.equal((await ask('/dead-letters/a?why=sent%20again', { method: 'DELETE', headers })).status, 204);
    const json = { ...headers, 'content-type': 'application/json' };
    const body = '{"why":"sent again"}';
    assert.equal((await ask('/dead-letters/a', { method: 'DELETE', headers: json, body })).status, 204);
    assert.deepEqual(asked, [
      ['replay', 'a/b', 'current'],
      ['replay', 'a', 'original'],
      ['discard', 'a', 'sent again'],
      ['discard', 'a', 'sent again'],
    ]);
    for (const given of [{}, { body: '' }, { body: '{"why":" "}' }, { body: '{"why":7}' }, { body: '{' }]) {
      assert.equal((await ask('/dead-letters/a', { method: 'DELETE', headers: json, ...given })).status, 400);
    }
    assert.equal((await ask('/dead-letters/a', { method: 'DELETE', headers, body })).status, 415);
    const raw = await ask('/dead-letters/a/body', { headers });
    assert.equal(raw.headers['content-type'], 'application/octet-stream');
    assert.equal(raw.headers['content-disposition'], 'attachment');
    assert.equal(raw.headers['content-length'], '3');
  });

  test('a body beyond the limit is refused, and the server goes on', async (t) => {
    const { ask, port } = await served(t, { token });
    const json = { ...headers, 'content-type': 'application/json' };
    const body = JSON.stringify({ why: 'x'.repeat(20_000) });
    assert.equal((await ask('/dead-letters/a', { method: 'DELETE', headers: json, body })).status, 413);
    // One that never ends is not waited for.
    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    const answered = new Promise<string>((resolve) => {
      socket.once('data', (chunk) => resolve(chunk.toString()));
    });
    const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
    socket.write(
      `DELETE /dead-letters/a HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n${'x'.repeat(20_000)}`,
    );
    assert.match(await answered, /^HTTP\/1\.1 413 [\s\S]*connection: close/i);
    socket.resume();
    await closed;
    assert.equal((await ask('/livez')).status, 200);
  });
});
