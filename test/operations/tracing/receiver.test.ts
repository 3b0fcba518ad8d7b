import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { systemClock } from '../../../src/core/clock.ts';
import type { FinishedSpan } from '../../../src/operations/tracing/finished-span.ts';
import { protobufType, spansAsProtobuf } from '../../../src/operations/tracing/otlp-protobuf.ts';
import { type Receiver, receiver } from '../../../src/operations/tracing/receiver.ts';
import { tracingSettings } from '../../../src/operations/tracing/settings.ts';
import { freePort } from '../../support/free-port.ts';
import { OtlpReceiver } from '../../support/otlp-receiver.ts';

const span: FinishedSpan = {
  traceId: 'a'.repeat(32),
  id: 'b'.repeat(16),
  parent: undefined,
  remoteParent: false,
  state: undefined,
  name: 'work',
  kind: 'internal',
  start: 0,
  end: 1,
  attributes: { 'dowel.flow': 'f' },
  links: [],
  error: undefined,
};
const body = spansAsProtobuf([span], { resource: {}, scope: { name: 'dowel', version: '1' } });

function open(t: TestContext, env: Readonly<Record<string, string>>): Receiver {
  const settings = tracingSettings(env);
  assert.ok(typeof settings === 'object', String(settings));
  const opened = receiver(settings.receiver, systemClock);
  t.after(() => opened.close());
  return opened;
}

async function started(t: TestContext): Promise<OtlpReceiver> {
  const far = await new OtlpReceiver().start();
  t.after(() => far.stop());
  return far;
}

describe('a receiver of traces', () => {
  test('gets them at its path, with the headers of the environment, over one connection', async (t) => {
    const far = await started(t);
    const near = open(t, { OTEL_EXPORTER_OTLP_ENDPOINT: `${far.url}/otlp`, OTEL_EXPORTER_OTLP_HEADERS: 'api-key=k1' });
    assert.deepEqual(await near.post(body, protobufType), { taken: true, rejected: 0, why: '' });
    assert.deepEqual(await near.post(body, protobufType), { taken: true, rejected: 0, why: '' });
    assert.deepEqual(
      far.requests.map(({ path, headers }) => [
        path,
        headers['content-type'],
        headers['api-key'],
        headers['user-agent'],
      ]),
      [
        ['/otlp/v1/traces', 'application/x-protobuf', 'k1', 'dowel'],
        ['/otlp/v1/traces', 'application/x-protobuf', 'k1', 'dowel'],
      ],
    );
    assert.deepEqual(
      far.taken.map(({ name }) => name),
      ['work', 'work'],
    );
  });

  test('may ask for compressed ones', async (t) => {
    const far = await started(t);
    const near = open(t, { OTEL_EXPORTER_OTLP_ENDPOINT: far.url, OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' });
    await near.post(body, protobufType);
    const [request] = far.requests;
    assert.ok(request);
    assert.equal(request.headers['content-encoding'], 'gzip');
    assert.deepEqual(gunzipSync(request.body), Buffer.from(body));
    assert.equal(far.taken[0]?.name, 'work');
  });

  test('with a name and a password in its address gets them as a header', async (t) => {
    const far = await started(t);
    const near = open(t, { OTEL_EXPORTER_OTLP_ENDPOINT: far.url.replace('//', '//ann:p%40ss@') });
    await near.post(body, protobufType);
    const expected = `Basic ${Buffer.from('ann:p@ss').toString('base64')}`;
    assert.equal(far.requests[0]?.headers.authorization, expected);
  });

  test('that is busy is asked again when it says; that does not want them is not', async (t) => {
    const far = await started(t);
    const near = open(t, { OTEL_EXPORTER_OTLP_ENDPOINT: far.url });
    far.answer = () => ({ status: 503, headers: { 'retry-after': '7' } });
    assert.deepEqual(await near.post(body, protobufType), {
      taken: false,
      again: true,
      after: 7000,
      why: 'it answered 503',
    });
    far.answer = () => ({ status: 401 });
    const refused = await near.post(body, protobufType);
    assert.deepEqual(refused, { taken: false, again: false, after: undefined, why: 'it answered 401' });
  });

  test('that rejects some spans says so', async (t) => {
    const far = await started(t);
    far.answer = () => ({ status: 200, body: Buffer.from([0x0a, 0x06, 0x08, 0x03, 0x12, 0x02, 0x6e, 0x6f]) });
    const near = open(t, { OTEL_EXPORTER_OTLP_ENDPOINT: far.url });
    assert.deepEqual(await near.post(body, protobufType), { taken: true, rejected: 3, why: 'no' });
  });

  test('that is not there is asked again', async (t) => {
    const near = open(t, { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}` });
    const delivery = await near.post(body, protobufType);
    assert.ok(!delivery.taken && delivery.again);
    assert.match(delivery.why, /ECONNREFUSED/);
  });

  test('at the port for gRPC: what is wrong says where the other one is', async (t) => {
    const near = open(t, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4317', OTEL_EXPORTER_OTLP_TIMEOUT: '1000' });
    const delivery = await near.post(body, protobufType);
    assert.ok(!delivery.taken);
    assert.match(delivery.why, /\(4317 is usually the port for gRPC; that for HTTP is 4318\)$/);
  });

  test('that says nothing is given up after the timeout', async (t) => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    t.after(() => silent.close());
    const address = silent.address();
    assert.ok(address !== null && typeof address === 'object');
    const near = open(t, {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${address.port}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: '50',
    });
    assert.deepEqual(await near.post(body, protobufType), {
      taken: false,
      again: true,
      why: 'no answer within 50 ms',
    });
  });

  test('that has closed the connection meanwhile gets the next spans over another one', async (t) => {
    const far = await started(t);
    const near = open(t, { OTEL_EXPORTER_OTLP_ENDPOINT: far.url });
    await near.post(body, protobufType);
    await far.stop();
    await far.start();
    assert.deepEqual(await near.post(body, protobufType), { taken: true, rejected: 0, why: '' });
    assert.equal(far.taken.length, 2);
  });

  test('over TLS: its authority and our certificate are those of the environment', async (t) => {
    const pem = (name: string): string => fileURLToPath(new URL(`../../fixtures/tls/${name}.pem`, import.meta.url));
    const read = (name: string): Buffer => readFileSync(pem(name));
    const tls = {
      cert: read('localhost.cert'),
      key: read('localhost.key'),
      ca: read('localhost.cert'),
      requestCert: true,
    };
    const server = https.createServer(tls, (request, response) => {
      request.resume().on('end', () => response.writeHead((request.socket as TLSSocket).authorized ? 200 : 403).end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    const { port } = server.address() as AddressInfo;
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `https://127.0.0.1:${port}` };
    const unknown = await open(t, env).post(body, protobufType);
    assert.ok(!unknown.taken && unknown.again);
    assert.match(unknown.why, /certificate/);
    const known = open(t, {
      ...env,
      OTEL_EXPORTER_OTLP_CERTIFICATE: pem('localhost.cert'),
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: pem('client.cert'),
      OTEL_EXPORTER_OTLP_CLIENT_KEY: pem('client.key'),
    });
    assert.deepEqual(await known.post(body, protobufType), { taken: true, rejected: 0, why: '' });
  });
});
