import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
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

test('who connected while the process was too busy to look is served, though the port closes just then', async (t) => {
  const { port, runtime } = await startIntegration(t, yaml);
  const flags = new SharedArrayBuffer(8);
  const view = new Int32Array(flags);
  const worker = new Worker(clients, { eval: true, workerData: { port, get, flags } });
  t.after(() => worker.terminate());
  const told = once(worker, 'message');
  const kept = await RawClient.connect(t, port);
  await RawClient.connect(t, port);
  const stopped = runtime.stop(10_000);
  kept.send(get);
  assert.equal((await kept.reply()).headers['connection'], 'close');
  // Nothing runs here until all of them have sent and the time to close the port has come.
  Atomics.store(view, 0, 1);
  Atomics.notify(view, 0);
  Atomics.wait(view, 1, 0);
  Atomics.wait(view, 1, 1, usualPatience.lastCall);
  const [answers] = await told;
  assert.deepEqual(
    answers,
    Array.from({ length: 20 }, () => 'HTTP/1.1 200 OK'),
  );
  assert.equal(await stopped, 0);
});
