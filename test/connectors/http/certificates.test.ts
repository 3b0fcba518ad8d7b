import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import tls, { type TLSSocket } from 'node:tls';
import { VirtualClock } from '../../../src/core/clock.ts';
import { authority, type Pair } from '../../support/certificates.ts';
import { eventually } from '../../support/eventually.ts';
import { integrationOf, type Reply, type Running, type RunningOptions, startIntegration } from './support.ts';

const respond = '- respond: { body: { identity: "${{ $identity }}" } }';

interface Written {
  readonly from?: string;
  readonly tls?: string;
  readonly steps?: string;
}

const secure = ({
  from = 'http: { method: [GET, POST], path: /run }',
  tls: more = '',
  steps = respond,
}: Written): string =>
  integrationOf({ main: { from, steps } }).replace(
    'port: 0 }',
    `port: 0, tls: { cert: ./tls.crt, key: ./tls.key${more} } }`,
  );

const plain = '- respond: { body: { hello: true } }';

const filesOf = (server: Pair, ca?: string): Readonly<Record<string, string>> => ({
  'tls.crt': server.cert,
  'tls.key': server.key,
  ...(ca === undefined ? {} : { 'clients.crt': ca }),
});

function get(
  running: Running,
  ca: string,
  client?: Pair,
  agent?: https.Agent,
): Promise<Reply & { readonly seen: string }> {
  return new Promise((resolve, reject) => {
    const options = { ca, servername: 'localhost', agent: agent ?? false, ...client };
    const sent = https.get(`https://127.0.0.1:${running.port}/run`, options, (response) => {
      const certificate = (response.socket as TLSSocket).getPeerCertificate();
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const json = text === '' ? undefined : JSON.parse(text);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json,
          seen: String(certificate.subject?.CN),
        });
      });
    });
    sent.on('error', reject);
  });
}

describe('a server with `tls`', () => {
  const start = async (t: TestContext, more: RunningOptions = {}) => {
    const ours = authority(t);
    const server = ours.issue('localhost', 'DNS:localhost');
    const running = await startIntegration(t, secure({ steps: plain }), { files: filesOf(server), ...more });
    return { ours, server, running };
  };

  it('serves https, says so, and tells browsers to stay with it', async (t) => {
    const { ours, running } = await start(t);
    const reply = await get(running, ours.cert);
    assert.deepEqual([reply.status, reply.json], [200, { hello: true }]);
    assert.equal(reply.headers['strict-transport-security'], 'max-age=31536000');
    assert.equal(reply.headers['x-content-type-options'], 'nosniff');
    assert.equal(reply.headers['server'], undefined);
    const [listening] = running.log.lines;
    assert.equal(listening?.fields['url'], `https://127.0.0.1:${running.port}`);
  });

  it('is known only to who trusts its authority', async (t) => {
    const { running } = await start(t);
    await assert.rejects(get(running, authority(t, 'Another').cert), /unable to verify|unable to get/);
  });

  it('closes the connection of who speaks no TLS, or an old one, and serves on', async (t) => {
    const { ours, running } = await start(t);
    const socket = net.connect(running.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET /run HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'close');
    const old = tls.connect({
      port: running.port,
      host: '127.0.0.1',
      ca: ours.cert,
      servername: 'localhost',
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    await assert.rejects(once(old, 'secureConnect'));
    assert.equal((await get(running, ours.cert)).status, 200);
  });

  it('takes new certificates when their files change, for connections from then on', async (t) => {
    const clock = new VirtualClock();
    const { ours, running } = await start(t, { clock });
    const agent = new https.Agent({ keepAlive: true });
    await get(running, ours.cert, undefined, agent);
    const other = ours.issue('renewed', 'DNS:localhost');
    writeFileSync(join(running.folder, 'tls.crt'), other.cert);
    await clock.advance(30_000);
    // Half of a renewal: the key is still that of before.
    const warned = () => running.log.lines.some((line) => line.message.startsWith('certificates could not be renewed'));
    await eventually('the half was seen', warned);
    assert.equal((await get(running, ours.cert)).seen, 'localhost');
    writeFileSync(join(running.folder, 'tls.key'), other.key);
    await eventually('the renewal was seen', async () => {
      await clock.advance(30_000);
      return running.log.lines.some((line) => line.message === 'certificates renewed');
    });
    assert.equal((await get(running, ours.cert)).seen, 'renewed');
    assert.equal((await get(running, ours.cert, undefined, agent)).status, 200);
    agent.destroy();
  });

  it('takes the certificates that another version of the integration names, without closing the port', async (t) => {
    const { ours, running } = await start(t);
    const other = ours.issue('second', 'DNS:localhost');
    writeFileSync(join(running.folder, 'second.crt'), other.cert);
    writeFileSync(join(running.folder, 'second.key'), other.key);
    await running.swap(
      secure({ steps: plain }).replace('./tls.crt', './second.crt').replace('./tls.key', './second.key'),
    );
    assert.equal((await get(running, ours.cert)).seen, 'second');
  });

  it('does not start with a key that belongs to another certificate, and says so', async (t) => {
    const ours = authority(t);
    const [a, b] = [ours.issue('a'), ours.issue('b')];
    const started = startIntegration(t, secure({ steps: plain }), { files: filesOf({ cert: a.cert, key: b.key }) });
    await assert.rejects(started, /`server\.tls\.key` is not that of the certificate/);
    const rubbish = startIntegration(t, secure({ steps: plain }), { files: filesOf({ cert: 'x', key: b.key }) });
    await assert.rejects(rubbish, /`server\.tls\.cert` names cannot be read as PEM/);
  });

  it('closes in time while somebody is in the middle of a handshake', async (t) => {
    const { running } = await start(t);
    const socket = net.connect(running.port, '127.0.0.1');
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    socket.on('error', () => {});
    const closed = once(socket, 'close');
    await running.runtime.stop(0);
    await closed;
  });
});

describe('an http source with `auth: mtls`', () => {
  const from = (auth: string): string => `http: { method: [GET, POST], path: /run, auth: ${auth} }`;
  const start = async (t: TestContext, auth: string, more: RunningOptions = {}) => {
    const [ours, theirs] = [authority(t), authority(t, 'Of clients')];
    const files = filesOf(ours.issue('localhost', 'DNS:localhost'), theirs.cert);
    const written = secure({ from: from(auth), tls: ', ca: ./clients.crt' });
    return { ours, theirs, running: await startIntegration(t, written, { files, ...more }) };
  };

  it('knows a client by its certificate', async (t) => {
    const { ours, theirs, running } = await start(t, '{ mtls: {} }');
    const reply = await get(running, ours.cert, theirs.issue('shop', 'URI:spiffe://example/shop,DNS:shop.example'));
    const { identity } = reply.json as { readonly identity: Record<string, unknown> };
    const claims = identity['claims'] as Record<string, unknown>;
    assert.deepEqual([identity['scheme'], identity['subject'], identity['scopes']], ['mtls', 'shop', []]);
    assert.deepEqual(claims['subject'], { O: 'Example', CN: 'shop' });
    assert.deepEqual(claims['alternativeNames'], ['spiffe://example/shop', 'shop.example']);
    assert.match(String(claims['fingerprint256']), /^([\dA-F]{2}:){31}[\dA-F]{2}$/);
  });

  it('answers 401 without a certificate, and with one of another authority', async (t) => {
    const { ours, running } = await start(t, '{ mtls: {} }');
    for (const client of [undefined, authority(t, 'Another').issue('shop'), ours.issue('shop')]) {
      const reply = await get(running, ours.cert, client);
      assert.equal(reply.status, 401);
      assert.equal(reply.headers['www-authenticate'], 'ClientCertificate realm="tried"');
    }
  });

  it('wants one of `subjects`: the common name, or an alternative name', async (t) => {
    const { ours, theirs, running } = await start(t, '{ mtls: { subjects: ["shop", "spiffe://example/till"] } }');
    assert.equal((await get(running, ours.cert, theirs.issue('shop'))).status, 200);
    assert.equal((await get(running, ours.cert, theirs.issue('other', 'URI:spiffe://example/till'))).status, 200);
    assert.equal((await get(running, ours.cert, theirs.issue('other', 'DNS:shop.example'))).status, 401);
    // A name that holds another one is another one.
    assert.equal((await get(running, ours.cert, theirs.issue('shop2', 'URI:spiffe://example/till/x'))).status, 401);
  });

  it('asks its condition, and ends with the certificate', async (t) => {
    const clock = new VirtualClock(Date.now());
    const auth = '{ mtls: { when: "$identity.claims.subject.O = \'Example\'" } }';
    const { ours, theirs, running } = await start(t, auth, { clock });
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    const client = theirs.issue('shop');
    assert.equal((await get(running, ours.cert, client, agent)).status, 200);
    await clock.advance(2 * 86_400_000);
    assert.equal((await get(running, ours.cert, client, agent)).status, 401);
    agent.destroy();
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`knows it again when a session is resumed (${version}), and nobody by the session of before when the authorities are others`, async (t) => {
      const clock = new VirtualClock(Date.now());
      const { ours, theirs, running } = await start(t, '{ mtls: {} }', { clock });
      const client = theirs.issue('shop');
      let session: Buffer | undefined;
      const connect = async () => {
        const options = { port: running.port, host: '127.0.0.1', ca: ours.cert, servername: 'localhost', ...client };
        const socket = tls.connect({
          ...options,
          minVersion: version,
          maxVersion: version,
          ...(session && { session }),
        });
        socket.on('session', (next) => {
          session = next;
        });
        await once(socket, 'secureConnect');
        const reused = socket.isSessionReused();
        socket.end('GET /run HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
        const chunks: Buffer[] = [];
        for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
        return { reused, status: Buffer.concat(chunks).toString('latin1').slice(9, 12) };
      };
      assert.deepEqual(await connect(), { reused: false, status: '200' });
      assert.deepEqual(await connect(), { reused: true, status: '200' });
      writeFileSync(join(running.folder, 'clients.crt'), authority(t, 'Others').cert);
      await eventually('the others are known', async () => {
        await clock.advance(30_000);
        return running.log.lines.some((line) => line.message === 'certificates renewed');
      });
      assert.deepEqual(await connect(), { reused: false, status: '401' });
    });
  }

  it('is one way among others', async (t) => {
    const { ours, theirs, running } = await start(t, '{ mtls: {}, apiKey: { keys: [{ id: till, key: k }] } }');
    assert.equal((await get(running, ours.cert, theirs.issue('shop'))).status, 200);
    assert.equal((await get(running, ours.cert)).status, 401);
  });
});
