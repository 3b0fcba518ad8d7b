import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { VirtualClock } from '../../../src/core/clock.ts';
import { startDowel } from '../../support/dowel-process.ts';
import { eventually } from '../../support/eventually.ts';
import { integrationOf, problemOf, RawClient, request, startIntegration, startRawService } from './support.ts';

const mb = 1024 * 1024;
const chunk = Buffer.alloc(64 * 1024, 'x');

const relaying = (url: string, maxBody = '1gb'): string =>
  integrationOf(
    {
      up: { from: `http: { path: /up, maxBody: ${maxBody} }`, steps: '- call: { endpoint: far, http: { path: /up } }' },
      down: {
        from: 'http: { method: GET, path: /down }',
        steps: '- call: { endpoint: far, http: { method: GET, path: /down } }',
      },
    },
    `far:\n  http: { url: "${url}" }`,
  );

/** Writes `size` bytes as fast as they are taken; `written` sees how far it got. */
function pour(to: ServerResponse | http.ClientRequest | Socket, size: number, written: (total: number) => void): void {
  let total = 0;
  const go = (): void => {
    while (total < size && !to.destroyed) {
      total += chunk.length;
      written(total);
      if (!to.write(chunk)) {
        to.once('drain', go);
        return;
      }
    }
    if (!to.destroyed) to.end();
  };
  go();
}

function counted(from: IncomingMessage, seen: (total: number) => void = () => {}): Promise<number> {
  return new Promise((resolve, reject) => {
    let total = 0;
    from.on('data', (part: Buffer) => {
      total += part.length;
      seen(total);
    });
    from.on('end', () => resolve(total));
    from.resume();
    from.on('error', reject);
    from.on('close', () => reject(new Error(`closed after ${total} bytes`)));
  });
}

function open(url: string, method = 'GET', headers: http.OutgoingHttpHeaders = {}): http.ClientRequest {
  const sent = http.request(url, { method, agent: false, headers });
  sent.on('error', () => {});
  return sent;
}

const answerOf = (sent: http.ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    sent.once('response', resolve);
    sent.once('error', reject);
  });

/** Resident memory of a process in MB. */
function residentMb(pid: number): number {
  const file = `/proc/${pid}/status`;
  const kb = existsSync(file)
    ? /VmRSS:\s+(\d+)/.exec(readFileSync(file, 'latin1'))?.[1]
    : execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
  return Number(kb) / 1024;
}

test('200 MB go through a process in either direction within 40 MB of its memory at rest', async (t) => {
  const size = 200 * mb;
  const far = await startRawService(t, (received, response) => {
    if (received.method === 'GET') {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      pour(response, size, () => {});
    } else {
      void counted(received).then((total) => response.end(String(total)));
    }
  });
  const folder = mkdtempSync(join(tmpdir(), 'dowel-streaming-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'integration.yaml');
  writeFileSync(file, `${relaying(far.url)}\nadmin: { port: 0 }\n`);
  await using dowel = await startDowel(file);
  // At rest with its HTTP client loaded, as it is a moment after the start.
  const small = open(`${dowel.url}/up`, 'POST');
  small.end('x');
  assert.equal(await counted(await answerOf(small)), 1);
  const idle = residentMb(dowel.pid);
  let most = 0;
  let next = 0;
  const watch = (total: number): void => {
    if (total < next) return;
    next = total + 4 * mb;
    most = Math.max(most, residentMb(dowel.pid) - idle);
  };

  assert.equal(await counted(await answerOf(open(`${dowel.url}/down`).end()), watch), size);
  const down = most;
  next = 0;
  most = 0;
  const upload = open(`${dowel.url}/up`, 'POST');
  pour(upload, size, watch);
  const answer = await answerOf(upload);
  assert.equal(await counted(answer), String(size).length);
  t.diagnostic(`idle ${idle.toFixed(0)} MB; at most ${down.toFixed(1)} MB more down, ${most.toFixed(1)} MB more up`);
  assert.ok(down <= 40, `down: ${down} MB more than idle`);
  assert.ok(most <= 40, `up: ${most} MB more than idle`);
});

test('what is relayed in both directions arrives as it was, though its memory is given back at once', async (t) => {
  const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  // What comes is looked at here as well: it goes back in other pieces, and other memory.
  const far = await startRawService(t, (received, response) => {
    const parts: Buffer[] = [];
    received.on('data', (part: Buffer) => parts.push(part));
    received.on('end', () => {
      const all = Buffer.concat(parts);
      const { 'content-length': length } = received.headers;
      response.writeHead(200, length === undefined ? {} : { 'content-length': length });
      response.end(all);
    });
  });
  let givenBack = 0;
  const { transfer } = ArrayBuffer.prototype;
  t.mock.method(ArrayBuffer.prototype, 'transfer', function (this: ArrayBuffer, length?: number) {
    givenBack += this.byteLength;
    return transfer.call(this, length);
  });
  const { url } = await startIntegration(t, relaying(far.url));
  const ask = async (size: number, slow: boolean, chunked: boolean): Promise<void> => {
    const bytes = randomBytes(size);
    const sent = open(`${url}/up`, 'POST', chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': size });
    sent.end(bytes);
    const answer = await answerOf(sent);
    const parts: Buffer[] = [];
    for await (const part of answer as AsyncIterable<Buffer>) {
      parts.push(part);
      if (slow) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(digest(Buffer.concat(parts)), digest(bytes));
  };
  const sizes = Array.from({ length: 48 }, (_, index) => 70_000 + index * 40_000);
  await Promise.all(sizes.map((size, index) => ask(size, index % 3 === 0, index % 2 === 0)));
  const relayed = 2 * sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(givenBack > relayed / 2, `${givenBack} of ${relayed} bytes`);
});

test('a client that does not read makes the far side wait', async (t) => {
  let written = 0;
  const far = await startRawService(t, (_, response) => {
    pour(response, 200 * mb, (total) => {
      written = total;
    });
  });
  const { url, runtime } = await startIntegration(t, relaying(far.url));
  const sent = open(`${url}/down`).end();
  const answer = await answerOf(sent);
  answer.pause();
  // Everything on the way fills up, then nothing moves.
  let last = -1;
  await eventually('it stands still', () => {
    const same = written === last && written > 0;
    last = written;
    return same;
  });
  assert.ok(written < 100 * mb, `${written} bytes were taken for a client that reads nothing`);
  const total = await counted(answer);
  assert.equal(total, 200 * mb);
  assert.equal(runtime.inFlight, 0);
});

test('a far side that does not read makes the client wait', async (t) => {
  let reading: IncomingMessage | undefined;
  const far = await startRawService(t, (received, response) => {
    received.pause();
    reading = received;
    received.on('end', () => response.end('done'));
  });
  const { url } = await startIntegration(t, relaying(far.url));
  let written = 0;
  const sent = open(`${url}/up`, 'POST');
  pour(sent, 200 * mb, (total) => {
    written = total;
  });
  await eventually('the far side has it', () => reading !== undefined);
  let last = -1;
  await eventually('it stands still', () => {
    const same = written === last;
    last = written;
    return same;
  });
  assert.ok(written < 100 * mb, `${written} bytes were taken for a service that reads nothing`);
  reading?.resume();
  assert.equal(await counted(await answerOf(sent)), 4);
});

test('lengths that are known travel on, others do not appear', async (t) => {
  const seen: (string | undefined)[] = [];
  const far = await startRawService(t, (received, response) => {
    seen.push(received.headers['content-length'], received.headers['transfer-encoding']);
    const size = 100_000;
    if (received.url === '/down') response.setHeader('content-length', size);
    void counted(received).then(() => response.end(Buffer.alloc(size)));
  });
  const { url } = await startIntegration(t, relaying(far.url));
  const sized = open(`${url}/up`, 'POST', { 'content-length': 100_000 });
  sized.end(Buffer.alloc(100_000));
  const unsized = await answerOf(sized);
  assert.equal(await counted(unsized), 100_000);
  const chunked = open(`${url}/up`, 'POST', { 'transfer-encoding': 'chunked' });
  chunked.end(Buffer.alloc(100_000));
  await counted(await answerOf(chunked));
  assert.deepEqual(seen, ['100000', undefined, undefined, 'chunked']);
  const down = await answerOf(open(`${url}/down`).end());
  assert.equal(down.headers['content-length'], '100000');
  assert.equal(await counted(down), 100_000);
  const head = await answerOf(open(`${url}/down`, 'HEAD').end());
  assert.equal(head.headers['content-length'], '100000');
});

test('a client that goes away during an answer closes the connection to the far side', async (t) => {
  const far = await startRawService(t, (_, response) => pour(response, 1000 * mb, () => {}));
  const { url, runtime } = await startIntegration(t, relaying(far.url));
  const sent = open(`${url}/down`).end();
  const answer = await answerOf(sent);
  answer.on('error', () => {});
  answer.once('data', () => sent.destroy());
  await eventually('the far side is let go', () => far.sockets.size === 0);
  assert.equal(runtime.inFlight, 0);
});

test('a client that goes away during its upload closes the connection to the far side', async (t) => {
  let aborted = false;
  const far = await startRawService(t, (received) => {
    received.resume();
    received.on('error', () => {});
    received.on('aborted', () => {
      aborted = true;
    });
  });
  const { url, runtime } = await startIntegration(t, relaying(far.url));
  const sent = open(`${url}/up`, 'POST');
  for (let i = 0; i < 10; i++) sent.write(chunk);
  await eventually('it arrives', () => far.sockets.size === 1);
  sent.destroy();
  await eventually('the far side is let go', () => far.sockets.size === 0);
  assert.equal(aborted, true);
  await eventually('nothing is under way', () => runtime.inFlight === 0);
});

test('a client that goes away before anybody reads its upload ends its own message and nothing else', async (t) => {
  const waiting = integrationOf({ up: { from: 'http: { path: /up }', steps: '- delay: { for: 10m }' } });
  const { url, runtime } = await startIntegration(t, waiting);
  const sent = open(`${url}/up`, 'POST');
  sent.write('the beginning');
  await eventually('it arrives', () => runtime.inFlight === 1);
  sent.socket?.resetAndDestroy();
  await eventually('nothing is under way', () => runtime.inFlight === 0);
});

test('an answer that breaks off before anybody reads it is an error of the far side', async (t) => {
  let breakOff = (): void => {};
  const far = await startRawService(t, (_, response) => {
    response.setHeader('content-length', mb);
    response.write('the beginning');
    breakOff = () => response.destroy();
  });
  const clock = new VirtualClock();
  const relayingLate = integrationOf(
    {
      down: {
        from: 'http: { method: GET, path: /down }',
        steps: '- call: { endpoint: far, http: { method: GET, path: /down } }\n- delay: { for: 1s }',
      },
    },
    `far:\n  http: { url: "${far.url}" }`,
  );
  const { url, log } = await startIntegration(t, relayingLate, { clock });
  const sent = request(`${url}/down`);
  await eventually('the flow waits', () => log.lines.some((line) => line.message === 'step done'));
  breakOff();
  await eventually('the far side is gone', () => far.sockets.size === 0);
  await clock.advance(1000);
  assert.equal(problemOf(await sent).code, 'connection');
});

for (const length of [undefined, 10 * mb]) {
  test(`an answer that breaks off ${length ? 'before its length' : 'between chunks'} is cut, never ended`, async (t) => {
    const far = await startRawService(t, (_, response) => {
      if (length) response.setHeader('content-length', length);
      response.write(chunk);
      response.write(chunk, () => response.destroy());
    });
    const { url, log } = await startIntegration(t, relaying(far.url));
    const answer = await answerOf(open(`${url}/down`).end());
    await assert.rejects(counted(answer), /aborted|closed after/);
    await eventually('it is logged', () => log.lines.some((line) => line.message === 'a relayed answer was cut'));
  });
}

test('an upload that exceeds the limit on its way is a 413, and the far side never sees its end', async (t) => {
  let ended = false;
  const far = await startRawService(t, (received) => {
    received.resume();
    received.on('error', () => {});
    received.on('end', () => {
      ended = true;
    });
  });
  const { port, runtime } = await startIntegration(t, relaying(far.url, '100kb'));
  const client = await RawClient.connect(t, port);
  client.send('POST /up HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n');
  for (let i = 0; i < 3; i++) {
    client.send('10000\r\n');
    client.socket.write(chunk);
    client.send('\r\n');
  }
  client.send('0\r\n\r\n');
  const problem = problemOf(await client.reply());
  assert.deepEqual([problem.status, problem.code], [413, 'too-large']);
  await eventually('the far side is let go', () => far.sockets.size === 0);
  assert.equal(ended, false);
  await eventually('nothing is under way', () => runtime.inFlight === 0);
});

test('a client that waits for 100-continue is told to go on only when its body is wanted', async (t) => {
  const far = await startRawService(t, (received, response) => {
    void counted(received).then((total) => response.end(String(total)));
  });
  const { port } = await startIntegration(t, relaying(far.url));
  const client = await RawClient.connect(t, port);
  client.send('POST /up HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 100000\r\n\r\n');
  assert.equal((await client.reply()).status, 100);
  client.socket.write(Buffer.alloc(100_000));
  assert.equal((await client.reply()).text, '100000');
});

test('a far side that answers before it has read everything is relayed', async (t) => {
  const far = await startRawService(t, (received, response) => {
    received.on('error', () => {});
    response.writeHead(200, { 'content-type': 'text/plain' }).end('enough');
    received.resume();
  });
  const { url, runtime } = await startIntegration(t, relaying(far.url));
  const sent = open(`${url}/up`, 'POST');
  sent.write(chunk);
  sent.write(chunk);
  const answer = await answerOf(sent);
  assert.equal(await counted(answer), 'enough'.length);
  await eventually('nothing is under way', () => runtime.inFlight === 0);
});

test('a flow that looks at the body gets it whole, up to the limit', async (t) => {
  const { url } = await startIntegration(
    t,
    integrationOf({
      main: { from: 'http: { path: /a, maxBody: 1mb }', steps: '- respond: { body: "${{ $length($) }}" }' },
    }),
  );
  const send = (size: number, headers: http.OutgoingHttpHeaders = {}) =>
    request(`${url}/a`, { headers: { 'content-type': 'text/plain', ...headers }, body: 'x'.repeat(size) });
  assert.equal((await send(mb)).text, String(mb));
  assert.equal((await send(mb, { 'transfer-encoding': 'chunked' })).text, String(mb));
  assert.equal((await send(mb + 1)).status, 413);
  assert.equal((await send(mb + 1, { 'transfer-encoding': 'chunked' })).status, 413);
});
