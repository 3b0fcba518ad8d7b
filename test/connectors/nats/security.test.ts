import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Body } from '#sdk';
import type { NatsEndpointOptions } from '../../../connectors/nats/definition.ts';
import type { FileSource } from '../../../src/core/written.ts';
import { withPackage } from '../../support/debian-server.ts';
import { eventually } from '../../support/eventually.ts';
import { NatsServer, natsProgram } from '../../support/nats-server.ts';
import { outgoing } from '../../support/plain-context.ts';
import { openedEndpoint } from './support.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url));
const file = (path: string): FileSource => ({ pointer: '', path, text: readFileSync(path, 'utf8') });
const cert = fixture('localhost.cert.pem');
const key = fixture('localhost.key.pem');

withPackage('nats-server', natsProgram, 'nats: who we are, and whom we trust', () => {
  const refused = async (
    t: Parameters<typeof openedEndpoint>[0],
    options: Partial<NatsEndpointOptions>,
    message: RegExp,
  ): Promise<void> => {
    await assert.rejects(openedEndpoint(t, options), (thrown: Error & { code?: string }) => {
      assert.equal(thrown.code, 'startup');
      assert.match(thrown.message, message);
      assert.doesNotMatch(thrown.message, /s3cret|\n/);
      return true;
    });
  };

  test('a user and a password, beside the URL or in it', async (t) => {
    await using server = await NatsServer.start({
      settings: ['authorization { users: [ { user: "bill ing", password: "s3cret/1" } ] }'],
    });
    const host = `127.0.0.1:${server.port}`;
    for (const options of [
      { url: server.url, username: 'bill ing', password: 's3cret/1' },
      { url: `nats://bill%20ing:s3cret%2F1@${host}` },
    ]) {
      const { it } = await openedEndpoint(t, options);
      assert.equal(it.ready, true);
      await it.close();
    }
    const wrong =
      /NATS at 127\.0\.0\.1:\d+ could not be opened: the server refuses us: look at `username` and `password`/;
    await refused(t, { url: server.url, username: 'billing', password: 's3cret' }, wrong);
    await refused(t, { url: `nats://billing:s3cret@${host}` }, wrong);
    await refused(t, { url: server.url }, wrong);
  });

  test('a token; an nkey', async (t) => {
    const { createUser } = await import('@nats-io/transport-node').then(({ nkeys }) => nkeys);
    const user = createUser();
    const seed = new TextDecoder().decode(user.getSeed());
    await using tokens = await NatsServer.start({ settings: ['authorization { token: "s3cret" }'] });
    await using nkeys = await NatsServer.start({
      settings: [`authorization { users: [ { nkey: "${user.getPublicKey()}" } ] }`],
    });
    assert.equal((await openedEndpoint(t, { url: tokens.url, token: 's3cret' })).it.ready, true);
    assert.equal((await openedEndpoint(t, { url: nkeys.url, nkey: seed })).it.ready, true);
    await refused(t, { url: tokens.url, token: 's3cret2' }, /the server refuses us/);
  });

  test('TLS: the authority is trusted, the name is checked, and our certificate is shown', async (t) => {
    const settings = (verify: boolean) => [
      `tls { cert_file: "${cert}", key_file: "${key}", ca_file: "${cert}", verify: ${verify} }`,
    ];
    await using server = await NatsServer.start({ settings: settings(false) });
    await using strict = await NatsServer.start({ settings: settings(true) });
    const url = `tls://localhost:${server.port}`;
    const trusting = { rejectUnauthorized: true, ca: file(cert) };
    assert.equal((await openedEndpoint(t, { url, tls: trusting })).it.ready, true);
    await refused(t, { url }, /its certificate is signed by itself: name it as `tls\.ca`/);
    const other = { ...trusting, servername: 'elsewhere.example' };
    await refused(
      t,
      { url, tls: other },
      /certificate is for another host: correct the URL, or give `tls\.servername`/,
    );
    const own = { ...trusting, cert: file(cert), key: file(key) };
    assert.equal((await openedEndpoint(t, { url: `tls://localhost:${strict.port}`, tls: own })).it.ready, true);
  });

  test('TLS is insisted on', async (t) => {
    await using server = await NatsServer.start();
    await refused(t, { url: `tls://127.0.0.1:${server.port}` }, /the server speaks no TLS/);
  });

  test('a subject that the user may not publish to is refused for good, on every way', async (t) => {
    await using server = await NatsServer.start({
      settings: [
        'authorization { users: [ { user: u, password: p, permissions: { publish: { deny: ["secret.>"] } } } ] }',
      ],
    });
    const options = { url: server.url, username: 'u', password: 'p' };
    const { it, context } = await openedEndpoint(t, options);
    const core = await openedEndpoint(t, { ...options, jetstream: false });
    const message = (operation: object) => outgoing(context, { body: Body.value(1), operation });
    const denied = { code: 'refused', kind: 'permanent', message: /may not publish to `secret\.x`/ };
    await assert.rejects(it.handle(message({ subject: 'secret.x' })), denied);
    await assert.rejects(it.handle(message({ subject: 'secret.x', answered: true })), denied);
    await assert.rejects(core.it.handle(message({ subject: 'secret.x' })), denied);
    assert.equal(await core.it.handle(message({ subject: 'open.x' })), undefined);
  });

  test('several servers: another one stands in', async (t) => {
    await using one = await NatsServer.start();
    await using two = await NatsServer.start();
    const { it, context } = await openedEndpoint(t, { urls: [one.url, two.url], jetstream: false, subject: 'x' });
    const message = () => outgoing(context, { body: Body.value(1) });
    for (const gone of [one, two]) {
      await gone.kill();
      await eventually('the message is taken', () =>
        it.handle(message()).then(
          () => true,
          () => false,
        ),
      );
      await gone.start();
    }
    assert.equal(it.ready, true);
  });
});
