import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { answering, calling, json, sentBy } from './calling.ts';
import { integrationOf, post, problemOf, startIntegration, startRawService, startSocketService } from './support.ts';

test('a service that cannot be reached is a connection error without outcome', async (t) => {
  const gone = await startSocketService(t, () => {});
  const running = await startIntegration(t, calling('http: {}', 'url: "http://127.0.0.1:1"'));
  const reply = await post(`${running.url}/run`, {});
  assert.deepEqual([reply.status, problemOf(reply).code, problemOf(reply).outcome], [502, 'connection', 'none']);
  const unknown = await startIntegration(t, calling('http: {}', 'url: "http://nowhere.invalid"'));
  assert.equal(problemOf(await post(`${unknown.url}/run`, {})).outcome, 'none');
  assert.ok(gone.url);
});

test('a service that hangs up after it was asked leaves the outcome unknown; a safe call has none', async (t) => {
  const far = await startSocketService(t, (socket) => {
    socket.on('data', () => socket.destroy());
  });
  const writing = await startIntegration(t, calling('http: { method: PUT }', `url: "${far.url}"`));
  const written = problemOf(await post(`${writing.url}/run`, {}));
  assert.deepEqual([written.code, written.outcome], ['connection', 'unknown']);
  const reading = await startIntegration(t, calling('http: { method: GET }', `url: "${far.url}"`));
  assert.equal(problemOf(await post(`${reading.url}/run`, {})).outcome, 'none');
});

test('a service that does not speak HTTP, or breaks off, is an invalid response or a connection error', async (t) => {
  const answers = ['HTTP/9.9 what\r\n\r\n', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`, 'SSH-2.0-x\r\n'];
  for (const answer of answers) {
    const far = await startSocketService(t, (socket) => {
      socket.on('data', () => socket.end(answer));
    });
    const running = await startIntegration(t, calling('http: { method: GET }', `url: "${far.url}"`));
    const problem = problemOf(await post(`${running.url}/run`, {}));
    assert.equal(problem.code, 'invalid-response', `${answer.slice(0, 20)}: ${problem.detail}`);
  }
  const short = await startSocketService(t, (socket) => {
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc'));
  });
  const running = await startIntegration(t, calling('http: { method: GET }', `url: "${short.url}"`));
  assert.match(problemOf(await post(`${running.url}/run`, {})).code, /^(connection|invalid-response)$/);
});

test('connections are used again, and one that the service has closed meanwhile does no harm', async (t) => {
  const far = await answering(t);
  const running = await startIntegration(t, calling('http: {}', `url: "${far.url}"`));
  const ports = new Set<number>();
  far.server.on('connection', (socket) => ports.add(socket.remotePort ?? 0));
  for (let i = 0; i < 5; i++) await sentBy(running, far);
  assert.equal(ports.size, 1);
  for (let i = 0; i < 20; i++) {
    // Closed while it is idle: the end may still be on its way when the next call begins.
    far.server.closeIdleConnections();
    await sentBy(running, far);
  }
});

test('a timeout cancels the call and closes its connection', async (t) => {
  const far = await startRawService(t, () => {});
  const running = await startIntegration(
    t,
    integrationOf(
      { main: { from: 'http: { path: /run }', steps: '- call: { endpoint: far, http: {} }' } },
      `far:\n  http: { url: "${far.url}" }\n  timeout: 30ms`,
    ),
  );
  const reply = await post(`${running.url}/run`, {});
  assert.deepEqual([reply.status, problemOf(reply).code, problemOf(reply).outcome], [504, 'timeout', 'unknown']);
  await eventually('the connection is closed', () => far.sockets.size === 0);
});

test('a client that goes away cancels the call that was made for it', async (t) => {
  const far = await startRawService(t, () => {});
  const running = await startIntegration(t, calling('http: {}', `url: "${far.url}"`));
  const controller = new AbortController();
  const given = fetch(`${running.url}/run`, { method: 'POST', body: '{}', signal: controller.signal }).catch(
    () => 'gone',
  );
  await eventually('the call is made', () => far.sockets.size === 1);
  controller.abort();
  assert.equal(await given, 'gone');
  await eventually('the call is cancelled', () => far.sockets.size === 0);
  await eventually('nothing is under way', () => running.runtime.inFlight === 0);
});

test('the deadline of the caller bounds the call and travels on', async (t) => {
  const far = await startRawService(t, ({ headers }, response) => {
    if (Number(headers['x-request-deadline-ms']) > 1000) response.writeHead(200, json).end('{}');
  });
  const running = await startIntegration(t, calling('http: {}', `url: "${far.url}"`));
  assert.equal((await post(`${running.url}/run`, {}, { 'x-request-deadline-ms': '5000' })).status, 200);
  const late = await post(`${running.url}/run`, {}, { 'x-request-deadline-ms': '40' });
  assert.deepEqual([late.status, problemOf(late).code], [504, 'deadline']);
  await eventually('the late call is cancelled', () => far.sockets.size <= 1);
});

test('no more connections are open than the pool allows, and calls wait for one', async (t) => {
  let most = 0;
  const far = await startRawService(t, (_, response) => {
    most = Math.max(most, far.sockets.size);
    setImmediate(() => response.writeHead(200, json).end('{}'));
  });
  const running = await startIntegration(
    t,
    calling('http: { method: GET }', `url: "${far.url}", pool: { connections: 3 }`),
  );
  const replies = await Promise.all(Array.from({ length: 40 }, () => post(`${running.url}/run`, {})));
  assert.ok(replies.every((one) => one.status === 200));
  assert.equal(most, 3);
});

test('a stopped integration leaves no connection behind', async (t) => {
  const far = await answering(t);
  const running = await startIntegration(t, calling('http: {}', `url: "${far.url}"`));
  await sentBy(running, far);
  assert.equal(far.sockets.size, 1);
  await running.runtime.stop(1000);
  await eventually('no connection is left', () => far.sockets.size === 0);
  await assert.rejects(post(`${running.url}/run`, {}));
});
