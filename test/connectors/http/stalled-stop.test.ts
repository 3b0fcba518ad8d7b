import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { usualPatience } from '../../../connectors/http/patience.ts';
import { integrationOf, RawClient, startIntegration } from './support.ts';

const yaml = integrationOf({ main: { from: 'http: { path: /a, method: GET }', steps: '- respond: { body: one }' } });
const get = 'GET /a HTTP/1.1\r\nhost: a\r\n\r\n';

/** Clients in a thread of their own: each connects, sends, and says what came. */
const clients = `
  const { workerData: { port, get, flags }, parentPort } = require('node:worker_threads');
  const { connect } = require('node:net');
  Atomics.wait(new Int32Array(flags), 0, 0);
  let sent = 0;
  const one = () => new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(get, () => {
      sent += 1;
      if (sent < 20) return;
      Atomics.store(new Int32Array(flags), 1, 1);
      Atomics.notify(new Int32Array(flags), 1);
    }));
    socket.on('data', (data) => { text += data; });
    socket.on('error', (error) => resolve(error.code));
    socket.on('close', () => resolve(text.split('\\r\\n')[0]));
  });
  Promise.all(Array.from({ length: 20 }, one)).then((all) => parentPort.postMessage(all));
`;

/** Twenty clients in another thread; `go` lets them connect, and returns when all have sent, while nothing else runs here. */
function crowd(t: TestContext, port: number) {
  const flags = new SharedArrayBuffer(8);
  const view = new Int32Array(flags);
  const worker = new Worker(clients, { eval: true, workerData: { port, get, flags } });
  t.after(() => worker.terminate());
  const told = once(worker, 'message').then(([answers]) => answers);
  const go = (): void => {
    Atomics.store(view, 0, 1);
    Atomics.notify(view, 0);
    Atomics.wait(view, 1, 0);
  };
  return { ready: once(worker, 'online'), go, told };
}

const served = Array.from({ length: 20 }, () => 'HTTP/1.1 200 OK');

test('who connected while the process was too busy to look is served, though the port closes just then', async (t) => {
  const { port, runtime } = await startIntegration(t, yaml);
  const { ready, go, told } = crowd(t, port);
  await ready;
  const kept = await RawClient.connect(t, port);
  await RawClient.connect(t, port);
  const stopped = runtime.stop(10_000);
  kept.send(get);
  assert.equal((await kept.reply()).headers['connection'], 'close');
  go();
  // Until the time to close the port has come.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, usualPatience.lastCall);
  assert.deepEqual(await told, served);
  assert.equal(await stopped, 0);
});

test('so is who connected when nobody else was there', async (t) => {
  const { port, runtime } = await startIntegration(t, yaml);
  const { ready, go, told } = crowd(t, port);
  await ready;
  const stopped = runtime.stop(10_000);
  go();
  assert.deepEqual(await told, served);
  assert.equal(await stopped, 0);
});
