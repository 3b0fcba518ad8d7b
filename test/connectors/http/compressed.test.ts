import assert from 'node:assert/strict';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { eventually } from '../../support/eventually.ts';
import { integrationOf, packedIn, problemOf, request, startIntegration, startService } from './support.ts';

const value = { name: 'x'.repeat(2000), list: [1, 2] };
const text = JSON.stringify(value);
const json = { 'content-type': 'application/json' };

const packed = packedIn(text);

test('a compressed request is read, and relayed, as what it was before', async (t) => {
  const relayed: unknown[] = [];
  const far = await startService(t, ({ headers, body }, response) => {
    relayed.push([headers['content-encoding'], body]);
    response.end('taken');
  });
  const running = await startIntegration(
    t,
    integrationOf(
      {
        look: {
          from: 'http: { path: /look }',
          steps: `- respond: { body: { name: "\${{ $length(name) }}", told: "\${{ $headers.'content-encoding' }}" } }`,
        },
        relay: { from: 'http: { path: /relay }', steps: '- call: { endpoint: far, http: { path: /r } }' },
      },
      `far:\n  http: { url: "${far.url}" }`,
    ),
  );
  for (const [encoding, body] of Object.entries(packed)) {
    const headers = { ...json, 'content-encoding': encoding };
    const looked = await request(`${running.url}/look`, { method: 'POST', headers, body });
    const told = encoding === 'identity' ? { told: 'identity' } : {};
    assert.deepEqual(JSON.parse(looked.text), { name: 2000, ...told }, encoding);
    await request(`${running.url}/relay`, { method: 'POST', headers, body });
    assert.deepEqual(relayed.pop(), [undefined, text], encoding);
  }
});

test('what cannot be decoded, or is too large then, is told to its sender; the process goes on', async (t) => {
  const running = await startIntegration(
    t,
    integrationOf({
      look: { from: 'http: { path: /look, maxBody: 10kb }', steps: '- respond: { body: "${{ $ }}" }' },
      unseen: { from: 'http: { path: /unseen, maxBody: 10kb }', steps: '- respond: { body: done }' },
    }),
  );
  const send = (path: string, encoding: string, body: Buffer) =>
    request(`${running.url}${path}`, { method: 'POST', headers: { ...json, 'content-encoding': encoding }, body });
  const whole = packed['gzip'] ?? Buffer.alloc(0);
  const cases: readonly [encoding: string, body: Buffer, status: number, detail: RegExp][] = [
    ['klingon', whole, 415, /content encoding "klingon" cannot be read; known are gzip, deflate, br, zstd/],
    ['gzip, gzip, gzip, gzip, gzip', whole, 415, /known are/],
    ['gzip', Buffer.from(text), 400, /The gzip cannot be read: incorrect header check/],
    ['gzip', whole.subarray(0, 20), 400, /The gzip cannot be read: unexpected end of file/],
    ['gzip', zlib.gzipSync(Buffer.alloc(1_000_000, ' ')), 413, /larger than the 10240 bytes/],
  ];
  for (const [encoding, body, status, detail] of cases) {
    const answer = await send('/look', encoding, body);
    assert.equal(answer.status, status, `${encoding}: ${answer.text}`);
    assert.match(String(problemOf(answer).detail), detail);
    if (status === 415) assert.equal(answer.headers['accept-encoding'], 'gzip, deflate, br, zstd');
  }
  // Nobody looks at it: it is not decoded to its end.
  assert.equal((await send('/unseen', 'gzip', whole)).status, 200);
  assert.equal((await send('/look', 'gzip', whole)).text, text);
  await eventually('nothing is under way', () => running.runtime.inFlight === 0);
});
