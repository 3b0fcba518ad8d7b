/** A process that accepts messages is killed while it does, and started again: an outside count says what came of them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { seededRandom } from '../../../src/core/random.ts';
import { type DowelProcess, startDowel } from '../../support/dowel-process.ts';
import { eventually } from '../../support/eventually.ts';

const head = (backend: string): string => `
dowel: 1
name: killed
server: { host: 127.0.0.1, port: 0 }
admin: { port: 0 }
store: { sqlite: { path: ./queue.db } }
endpoints:
  backend: { http: { url: "${backend}" } }
`;

const settings = `
    redelivery: { maxAttempts: 1000, delay: 4ms, factor: 1, maxDelay: 4ms }
    steps:
      - call: { endpoint: backend, http: { method: POST, path: "/\${{ number }}" }, idempotent: true }`;

const accepting = (backend: string, concurrency: number): string => `${head(backend)}
flows:
  orders:
    from: { http: { method: POST, path: /orders, reply: accepted } }
    concurrency: ${concurrency}${settings}
`;

const channelled = (backend: string, concurrency: number): string =>
  `${head(backend)}
  jobs: { channel: { name: jobs } }
flows:
  orders:
    from: { http: { method: POST, path: /orders } }
    steps:
      - send: { endpoint: jobs }
      - respond: { status: 202 }
  work:
    from: { channel: { name: jobs, durable: true } }
    concurrency: ${concurrency}${settings}
`.replace('\n\n  jobs', '\n  jobs');

/** Milliseconds: the machine may have other things to do. */
const patience = 60_000;

/** A backend that fails three times in ten, if nothing else is said, and counts what it did. */
async function flakyBackend(
  t: TestContext,
  failing = 0.3,
): Promise<{ readonly url: string; readonly done: readonly number[] }> {
  const random = seededRandom(7);
  const done: number[] = [];
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      if (random.next() < failing) response.statusCode = 503;
      else done.push(Number(request.url?.slice(1)));
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, done };
}

/** Sends numbers, each once, until it is told to stop; remembers those that were accepted. */
async function sendNumbers(
  from: number,
  running: { readonly process: DowelProcess; readonly stopped: boolean },
  accepted: number[],
): Promise<number> {
  const url = `${running.process.url}/orders`;
  let number = from;
  while (!running.stopped) {
    const body = JSON.stringify({ number });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined);
    if (answer?.status === 202) accepted.push(number);
    number++;
  }
  return number;
}

async function run(t: TestContext, yaml: (backend: string) => string, kills: number, senders: number) {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-kill-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const backend = await flakyBackend(t);
  const file = join(folder, 'integration.yaml');
  writeFileSync(file, yaml(backend.url));
  const accepted: number[] = [];
  const next = Array.from({ length: senders }, (_, index) => index * 1_000_000);
  const random = seededRandom(kills);
  for (let kill = 0; kill < kills; kill++) {
    const process = await startDowel(file);
    const running = { process, stopped: false };
    const target = accepted.length + 15 + Math.floor(random.next() * 25);
    const sending = next.map((from) => sendNumbers(from, running, accepted));
    await eventually('messages are accepted', () => accepted.length >= target, patience);
    process.kill('SIGKILL');
    await process.ended;
    running.stopped = true;
    for (const [index, sent] of (await Promise.all(sending)).entries()) next[index] = sent;
  }
  const last = await startDowel(file);
  const done = (): ReadonlySet<number> => new Set(backend.done);
  await eventually('all that was accepted is done', () => accepted.every((number) => done().has(number)), patience);
  await last.stop();
  return { accepted, done: backend.done, duplicates: backend.done.length - done().size };
}
const ways = { 'reply: accepted': accepting, 'a durable channel': channelled };

for (const [way, yaml] of Object.entries(ways)) {
  describe(`${way}, while the process is killed again and again`, () => {
    it('every message that was accepted is done, in order, and one a crash at most twice', async (t) => {
      const { accepted, done, duplicates } = await run(t, (backend) => yaml(backend, 1), 3, 1);
      const first = [...new Set(done)];
      assert.deepEqual(
        first,
        [...first].sort((a, b) => a - b),
      );
      assert.ok(duplicates <= 3, `${duplicates} duplicates of ${accepted.length}`);
    });

    it('side by side as well: twice at most those that were in flight', async (t) => {
      const { accepted, duplicates } = await run(t, (backend) => yaml(backend, 30), 3, 8);
      assert.ok(duplicates <= 3 * 30, `${duplicates} duplicates of ${accepted.length}`);
    });
  });
}

describe('a message that kills the process', () => {
  it('is a dead letter after `maxAttempts` crashes, and the messages behind it are done', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'dowel-poison-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const backend = await flakyBackend(t, 0);
    writeFileSync(
      join(folder, 'poison.ts'),
      'export default (number: unknown): void => { if (number === 1) process.kill(process.pid, "SIGKILL"); };\n',
    );
    const steps = `
    redelivery: { maxAttempts: 3, delay: 4ms, factor: 1, maxDelay: 4ms }
    steps:
      - script: { module: ./poison.ts, input: "\${{ number }}", as: seen }
      - call: { endpoint: backend, http: { method: POST, path: "/\${{ number }}" }, idempotent: true }`;
    const file = join(folder, 'integration.yaml');
    writeFileSync(file, accepting(backend.url, 1).replace(settings, steps));
    const send = async (process: DowelProcess, number: number): Promise<void> => {
      const headers = { 'content-type': 'application/json' };
      await fetch(`${process.url}/orders`, { method: 'POST', headers, body: JSON.stringify({ number }) }).catch(
        () => {},
      );
    };
    for (let crash = 0; crash < 3; crash++) {
      const process = await startDowel(file);
      if (crash === 0) await send(process, 1);
      if (crash < 2) await send(process, 10 + crash);
      assert.equal((await process.ended).signal, 'SIGKILL');
    }
    await using last = await startDowel(file);
    const isGivenUp = (): boolean => last.logged('a message was moved to the dead letters') !== undefined;
    await eventually('it is given up', isGivenUp, patience);
    assert.equal(last.logged('a message was moved to the dead letters')?.['code'], 'interrupted');
    await send(last, 99);
    await eventually('the next one is done', () => backend.done.includes(99), patience);
  });
});
