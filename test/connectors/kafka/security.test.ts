import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Body, Failure } from '#sdk';
import type { EndpointOptions } from '../../../connectors/kafka/definition.ts';
import { freePorts } from '../../support/free-port.ts';
import { kafkaJars } from '../../support/kafka-jars.ts';
import { howToGetKafka, RealKafka } from '../../support/kafka-server.ts';
import { outgoing } from '../../support/plain-context.ts';
import { createTopic, fresh, openedEndpoint, openedSource, recordsOf } from './support.ts';

const pem = (name: string) => {
  const path = new URL(`../../fixtures/tls/${name}.pem`, import.meta.url).pathname;
  return { path, text: readFileSync(path, 'utf8'), pointer: '' };
};
/** In a `.properties` file a line break is written `\n`. */
const inline = (name: string): string => pem(name).text.trim().replaceAll('\n', '\\n');

const secret = 'correct-horse-battery';
const login = (module: string, more = ''): string =>
  `org.apache.kafka.common.security.${module} required username="admin" password="admin"${more};`;

const jars = await kafkaJars();
if ('missing' in jars) test('kafka: security', { skip: `${howToGetKafka} (${jars.missing})` }, () => {});
else
  describe(`kafka: TLS and names with passwords, on Kafka ${jars.version}`, { concurrency: 4 }, () => {
    let server: RealKafka;
    let tlsPort: number;
    let saslPort: number;
    before(async () => {
      const [tls = 0, sasl = 0] = await freePorts(2);
      [tlsPort, saslPort] = [tls, sasl];
      const scram = 'listener.name.sasl.scram-sha-512.sasl.jaas.config';
      const started = await RealKafka.start({
        listeners: [{ at: `SSL://localhost:${tls}` }, { at: `SASL://localhost:${sasl}` }],
        settings: {
          'ssl.keystore.type': 'PEM',
          'ssl.keystore.certificate.chain': inline('localhost.cert'),
          'ssl.keystore.key': inline('localhost.key'),
          'ssl.truststore.type': 'PEM',
          'ssl.truststore.certificates': inline('client.cert'),
          'ssl.client.auth': 'required',
          'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
          'listener.name.sasl.plain.sasl.jaas.config': login('plain.PlainLoginModule', ` user_ada="${secret}"`),
          [scram]: login('scram.ScramLoginModule'),
          'listener.name.sasl.scram-sha-256.sasl.jaas.config': login('scram.ScramLoginModule'),
        },
        format: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((hash) => [
          '--add-scram',
          `${hash}=[name=ada,password=${secret}]`,
        ]),
      });
      assert.ok(started);
      server = started;
    });
    after(() => server[Symbol.asyncDispose]());

    const tls = {
      ca: pem('localhost.cert'),
      cert: pem('client.cert'),
      key: pem('client.key'),
      rejectUnauthorized: true,
    };

    const ways: Readonly<Record<string, () => Pick<EndpointOptions, 'brokers' | 'auth' | 'tls'>>> = {
      'TLS with a client certificate': () => ({ brokers: `localhost:${tlsPort}`, tls }),
      'a name and a password as they are': () => ({
        brokers: `localhost:${saslPort}`,
        auth: { plain: { username: 'ada', password: secret } },
      }),
      'SCRAM-SHA-256': () => ({
        brokers: `localhost:${saslPort}`,
        auth: { scram: { username: 'ada', password: secret, hash: 'sha-256' } },
      }),
      'SCRAM-SHA-512': () => ({
        brokers: `localhost:${saslPort}`,
        auth: { scram: { username: 'ada', password: secret, hash: 'sha-512' } },
      }),
    };
    for (const [title, options] of Object.entries(ways)) {
      test(`writes and reads over ${title}`, async (t) => {
        const topic = fresh();
        await createTopic(server.brokers, topic, 1);
        const { endpoint, context } = await openedEndpoint(t, { ...options(), topic });
        await endpoint.handle(outgoing(context, { body: Body.value(title) }));
        assert.deepEqual(await recordsOf(server.brokers, topic), [title]);
        const reader = await openedSource(t, { ...options(), topics: [topic], group: fresh('g') }, { done: true });
        await reader.reached(1);
        assert.deepEqual(reader.texts(), [title]);
      });
    }

    const refused: Readonly<
      Record<string, readonly [() => Pick<EndpointOptions, 'brokers' | 'auth' | 'tls'>, RegExp]>
    > = {
      'a wrong password': [
        () => ({
          brokers: `localhost:${saslPort}`,
          auth: { scram: { username: 'ada', password: 'wrong-secret', hash: 'sha-512' } },
        }),
        /the user name or the password is wrong/,
      ],
      'a wrong password sent as it is': [
        () => ({
          brokers: `localhost:${saslPort}`,
          auth: { plain: { username: 'ada', password: 'wrong-secret' } },
        }),
        /the user name or the password is wrong/,
      ],
      'an authority that nobody named': [
        () => ({ brokers: `localhost:${tlsPort}`, tls: { cert: tls.cert, key: tls.key, rejectUnauthorized: true } }),
        /its certificate is signed by itself: name it as `tls.ca` \(DEPTH_ZERO_SELF_SIGNED_CERT\)/,
      ],
      'no encryption where it is needed': [
        () => ({ brokers: `localhost:${tlsPort}` }),
        /it speaks TLS at this port: give `tls: \{\}`/,
      ],
    };
    for (const [title, [options, says]] of Object.entries(refused)) {
      test(`does not open with ${title}: one line that says why, and no secret`, async (t) => {
        const inOneLine = (thrown: unknown): boolean => {
          assert.ok(thrown instanceof Failure);
          assert.equal(thrown.code, 'startup');
          assert.match(thrown.message, says);
          assert.doesNotMatch(thrown.message, /\n|secret|horse/);
          return true;
        };
        await assert.rejects(openedEndpoint(t, { ...options(), topic: 'x' }), inOneLine);
        await assert.rejects(openedSource(t, { ...options(), topics: ['x'], group: 'g' }), inOneLine);
      });
    }

    test('where the port is not the one for TLS, waiting goes on and the log says what may be wrong', async (t) => {
      const { endpoint, context } = await openedEndpoint(t, {
        brokers: server.brokers,
        tls: { rejectUnauthorized: true },
      });
      assert.equal(endpoint.ready, false);
      const [warned] = context.log.lines.filter(({ level }) => level === 'warn');
      assert.equal(warned?.fields['detail'], 'it broke off when TLS began (is this its port for TLS?)');
    });
  });
