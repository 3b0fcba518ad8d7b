import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Body } from '#sdk';
import { root } from '../../support/child-process.ts';
import { withPackage } from '../../support/debian-server.ts';
import { outgoing } from '../../support/plain-context.ts';
import { RabbitmqServer, rabbitmqProgram } from '../../support/rabbitmq-server.ts';
import { opened, openedEndpoint } from './support/opening.ts';

const path = (name: string): string => `${root}test/fixtures/tls/${name}.pem`;
const file = (name: string) => ({ path: path(name), text: readFileSync(path(name), 'utf8'), pointer: '' });

/** The certificate of the broker is also the authority of the client's. */
const settings = (tlsPort: number): readonly string[] => [
  `listeners.ssl.1 = 127.0.0.1:${tlsPort}`,
  `ssl_options.cacertfile = ${path('localhost.cert')}`,
  `ssl_options.certfile = ${path('localhost.cert')}`,
  `ssl_options.keyfile = ${path('localhost.key')}`,
  'ssl_options.verify = verify_peer',
  'ssl_options.fail_if_no_peer_cert = true',
  'auth_mechanisms.1 = PLAIN',
  'auth_mechanisms.2 = EXTERNAL',
  'ssl_cert_login_from = common_name',
];

withPackage('rabbitmq-server', rabbitmqProgram, 'amqp over TLS', () => {
  let server: RabbitmqServer;
  let url: string;
  before(async () => {
    server = await RabbitmqServer.start({ settings, plugins: ['rabbitmq_auth_mechanism_ssl'] });
    url = `amqps://localhost:${server.tlsPort}`;
    await server.addUser('client', 'unused', ['.*', '.*', '.*']);
  });
  after(() => server[Symbol.asyncDispose]());

  const ours = {
    ca: file('localhost.cert'),
    cert: file('client.cert'),
    key: file('client.key'),
    rejectUnauthorized: true,
  };

  test('with a password and a client certificate', async (t) => {
    const { source } = await opened(t, { url, queue: 'q', tls: ours, username: 'guest', password: 'guest' });
    assert.equal(source.ready, true);
  });

  test('the certificate says who we are: no password', async (t) => {
    const { endpoint, context } = await openedEndpoint(t, { url, tls: ours, auth: 'certificate', routingKey: 'mine' });
    const { reached } = await opened(t, { url, queue: 'mine', tls: ours, auth: 'certificate' });
    await endpoint.handle(outgoing(context, { body: Body.value('x') }));
    await reached(1);
    assert.match(await server.ctl('list_connections', 'user', 'auth_mechanism', 'ssl'), /client\tEXTERNAL\ttrue/);
  });

  for (const [title, tls, says] of [
    [
      'an authority that is not trusted',
      { ...ours, ca: undefined },
      /its certificate is signed by itself: name it as `tls\.ca`/,
    ],
    ['a certificate for another host', { ...ours, servername: 'other.example' }, /its certificate is for another host/],
    ['no client certificate', { ca: ours.ca, rejectUnauthorized: true }, /look at `tls`|closed the connection at once/],
  ] as const) {
    test(`${title}: what to do`, (t) =>
      assert.rejects(
        () => opened(t, { url, queue: 'q', tls }),
        (thrown: Error) => {
          assert.match(thrown.message, says);
          return true;
        },
      ));
  }

  test('a port without TLS', (t) =>
    assert.rejects(
      () => opened(t, { url: `amqps://localhost:${server.port}`, queue: 'q', tls: ours }),
      /it does not speak TLS at this port: write `amqp:`/,
    ));

  test('TLS where none is spoken: said, and tried again, for it may be a broker that is starting', async (t) => {
    const { context, source } = await opened(t, { url: `amqp://localhost:${server.tlsPort}`, queue: 'q' });
    assert.equal(source.ready, false);
    assert.match(String(context.log.lines[0]?.fields['detail']), /is it a port for TLS \(write `amqps:`\)/);
  });
});
