import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { FileSource } from '../../../src/core/written.ts';
import { withPackage } from '../../support/debian-server.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { MosquittoServer, mosquittoProgram } from '../../support/mosquitto-server.ts';
import { opened, openedEndpoint } from './support.ts';

const pem = (kind: 'cert' | 'key'): FileSource => {
  const path = new URL(`../../fixtures/tls/localhost.${kind}.pem`, import.meta.url).pathname;
  return { path, text: readFileSync(path, 'utf8'), pointer: '' };
};

withPackage('mosquitto', mosquittoProgram, 'mqtt at start', () => {
  let broker: MosquittoServer;
  let tls: string;
  before(async () => {
    broker = await MosquittoServer.start({
      users: { ada: 'right' },
      files: { 'cert.pem': pem('cert').text, 'key.pem': pem('key').text },
      settings: (folder, tlsPort) => [
        `listener ${tlsPort} 127.0.0.1`,
        `certfile ${folder}/cert.pem`,
        `keyfile ${folder}/key.pem`,
        `cafile ${folder}/cert.pem`,
        'require_certificate true',
      ],
    });
    tls = `mqtts://127.0.0.1:${broker.tlsPort}`;
  });
  after(() => broker[Symbol.asyncDispose]());

  const topics = ['a'];
  const clientId = 'starting';
  const login = { username: 'ada', password: 'right' };
  const trusted = { ca: pem('cert'), servername: 'localhost', rejectUnauthorized: true };
  const us = { cert: pem('cert'), key: pem('key') };

  test('the right name and password, in their options or in the URL', async (t) => {
    const one = await opened(t, { url: broker.url, topics, clientId, ...login });
    assert.equal(one.source.ready, true);
    const { endpoint, context } = await openedEndpoint(t, { url: `mqtt://ada:right@127.0.0.1:${broker.port}` });
    assert.equal(endpoint.ready, true);
    assert.doesNotMatch(JSON.stringify([one.context.log.lines, context.log.lines]), /right/);
  });

  for (const version of [5, '3.1.1'] as const) {
    test(`MQTT ${version}: a wrong password keeps it from starting, and is not printed`, async (t) => {
      const says = (thrown: Error): boolean => {
        assert.match(
          thrown.message,
          /refuses the connection: .*(wrong user name or password|not authorized).*`username`/,
        );
        assert.match(thrown.message, new RegExp(`mqtt://127.0.0.1:${broker.port}`));
        assert.doesNotMatch(thrown.message, /wrong-1|\n/);
        return true;
      };
      const wrong = { username: 'ada', password: 'wrong-1', version };
      await assert.rejects(opened(t, { url: broker.url, topics, clientId, ...wrong }), says);
      await assert.rejects(openedEndpoint(t, { url: broker.url, ...wrong }), says);
      const inUrl = `mqtt://ada:wrong-1@127.0.0.1:${broker.port}`;
      await assert.rejects(opened(t, { url: inUrl, topics, clientId, version }), says);
    });
  }

  test('TLS with our certificate, and theirs trusted', async (t) => {
    const { source } = await opened(t, { url: tls, topics, clientId, ...login, tls: { ...trusted, ...us } });
    assert.equal(source.ready, true);
  });

  test('TLS that will never work keeps it from starting, and says what to do', async (t) => {
    const refuses = (url: string, given: object | undefined, says: RegExp): Promise<void> =>
      assert.rejects(
        opened(t, {
          url,
          topics,
          clientId,
          ...login,
          ...(given ? { tls: { rejectUnauthorized: true, ...given } } : {}),
        }),
        says,
      );
    await refuses(tls, undefined, /certificate of the broker is not trusted.*`tls\.ca`/);
    await refuses(tls, { ...trusted, servername: 'elsewhere.example' }, /not trusted.*altname.*`tls\.servername`/);
    await refuses(tls, trusted, /does not accept our certificate.*`tls\.cert` and `tls\.key`/);
    await refuses(tls, { ...trusted, cert: pem('key'), key: pem('cert') }, /TLS failed/);
  });

  test('a TLS port spoken to without TLS, or the reverse: it keeps trying, and the log asks the right question', async (t) => {
    const asked = async (url: string): Promise<string> => {
      const { source, context } = await opened(t, { url, topics, clientId, ...login });
      assert.equal(source.ready, false);
      return String(context.log.lines[0]?.fields['detail']);
    };
    assert.match(await asked(`mqtt://127.0.0.1:${broker.tlsPort}`), /does it speak TLS there \(`mqtts:`\)/);
    assert.match(await asked(`mqtts://127.0.0.1:${broker.port}`), /is it a port without TLS \(`mqtt:`\)/);
  });

  test('nobody listens: it opens, is not ready, says so once, and is ready when somebody does', async (t) => {
    const port = await freePort();
    const { source, context } = await opened(t, { url: `mqtt://127.0.0.1:${port}`, topics, clientId });
    assert.equal(source.ready, false);
    const warnings = () => context.log.lines.filter(({ level }) => level === 'warn');
    assert.match(String(warnings()[0]?.fields['detail']), /nobody listens there \(ECONNREFUSED\)/);
    await using late = await MosquittoServer.start({ port });
    await eventually('it is ready', () => source.ready === true, 20_000);
    assert.ok(late.log.includes(`as ${clientId} `));
    assert.equal(warnings().length, 1);
    assert.ok(context.log.lines.some(({ message }) => message === 'connected to the MQTT broker'));
  });

  test('of several addresses the first that answers is taken', async (t) => {
    const dead = `mqtt://127.0.0.1:${await freePort()}`;
    const { source } = await opened(t, { url: [dead, broker.url], topics, clientId, ...login });
    await eventually('it is ready', () => source.ready === true);
  });
});
