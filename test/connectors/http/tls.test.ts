import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { integrationOf, post, problemOf, startIntegration } from './support.ts';

const pem = (kind: 'cert' | 'key'): string =>
  readFileSync(new URL(`../../fixtures/tls/localhost.${kind}.pem`, import.meta.url), 'utf8');

/** A service that says whom it talked to. */
async function secureService(t: TestContext, options: https.ServerOptions = {}): Promise<number> {
  const server = https.createServer({ cert: pem('cert'), key: pem('key'), ...options }, (request, response) => {
    const socket = request.socket as TLSSocket;
    const client = options.requestCert ? (socket.getPeerCertificate().subject?.CN ?? 'nobody') : 'anybody';
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ client, servername: socket.servername }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const files = { 'ca.pem': pem('cert'), 'cert.pem': pem('cert'), 'key.pem': pem('key') };

async function called(t: TestContext, port: number, options: string) {
  const running = await startIntegration(
    t,
    integrationOf(
      { main: { from: 'http: { path: /run }', steps: '- call: { endpoint: far, http: { method: GET } }' } },
      `far:\n  http: { url: "https://127.0.0.1:${port}"${options} }`,
    ),
    { files },
  );
  const reply = await post(`${running.url}/run`, {});
  // What is none of the caller's business stands in the log.
  const told = running.log.lines.find((line) => line.message === 'a message failed')?.fields['detail'];
  return { ...reply, told: String(told) };
}

test('a service whose certificate is trusted is called', async (t) => {
  const reply = await called(t, await secureService(t), ', tls: { ca: ./ca.pem, servername: localhost }');
  assert.deepEqual(reply.json, { client: 'anybody', servername: 'localhost' });
});

test('a service whose certificate nobody vouches for is not called', async (t) => {
  const port = await secureService(t);
  for (const options of ['', ', tls: { servername: localhost }']) {
    const reply = await called(t, port, options);
    const problem = problemOf(reply);
    assert.deepEqual([problem.status, problem.code, problem.outcome], [502, 'connection', 'none']);
    assert.equal(problem.detail, 'far could not be reached');
    assert.match(reply.told, /self-signed certificate/);
  }
});

test('a certificate of another name is refused', async (t) => {
  const reply = await called(t, await secureService(t), ', tls: { ca: ./ca.pem, servername: elsewhere.example }');
  assert.equal(problemOf(reply).code, 'connection');
  assert.match(reply.told, /elsewhere\.example/);
});

test('rejectUnauthorized: false talks to anybody', async (t) => {
  const reply = await called(t, await secureService(t), ', tls: { rejectUnauthorized: false }');
  assert.equal(reply.status, 200);
});

test('a client certificate says who we are', async (t) => {
  const port = await secureService(t, { requestCert: true, rejectUnauthorized: true, ca: pem('cert') });
  const known = await called(t, port, ', tls: { ca: ./ca.pem, cert: ./cert.pem, key: ./key.pem }');
  assert.equal((known.json as { client: string }).client, 'localhost');
  const unknown = problemOf(await called(t, port, ', tls: { ca: ./ca.pem }'));
  assert.equal(unknown.code, 'connection');
});
