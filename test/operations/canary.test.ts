import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { Project } from '../cli/support/project.ts';
import { type DowelProcess, runDowel, startDowel } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';
import { freePorts } from '../support/free-port.ts';
import { service } from '../support/http-service.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';

const canary = (place: string): string => `canary-${place}-8f31c`;

/** From the environment, declared as secret. */
const secrets = {
  ADMIN_TOKEN: canary('admin-token'),
  BEARER: canary('bearer'),
  BASIC_PASSWORD: canary('basic-password'),
  HEADER_KEY: canary('header-key'),
  CLIENT_SECRET: canary('client-secret'),
  DOOR_KEY: canary('door-key-that-is-long-enough'),
  DOOR_PASSWORD: canary('door-password'),
  NATS_PASSWORD: canary('nats-password'),
  REDIS_PASSWORD: canary('redis-password'),
  MQTT_PASSWORD: canary('mqtt-password'),
  KAFKA_PASSWORD: canary('kafka-password'),
} as const;

/** Of messages: what callers and far sides send. */
const content = {
  body: canary('body'),
  header: canary('header'),
  cookie: canary('cookie'),
  token: canary('token'),
  answer: canary('answer'),
  answerHeader: canary('answer-header'),
} as const;

interface Far {
  readonly http: string;
  readonly tokens: string;
  /** Where nobody listens. */
  readonly nobody: readonly number[];
}

const definition = ({ http, tokens, nobody: [nats, redis, mqtt, kafka, literal] }: Far): string => `
dowel: 1
name: canaries
version: 1.0.0
config:
${Object.keys(secrets)
  .map((name) => `  ${name}: { secret: true }`)
  .join('\n')}
  SECRET_URL: { secret: true }
  AMQP_URL: { secret: true }
  PLAIN_URL: {}
server: { port: "\${PORT}", host: 127.0.0.1 }
admin: { port: "\${ADMIN_PORT}", token: "\${ADMIN_TOKEN}" }
log: { level: debug }
store: { memory: {} }
endpoints:
  bearer: { http: { url: "${http}", auth: { bearer: { token: "\${BEARER}" } } } }
  basic: { http: { url: "${http}", auth: { basic: { username: me, password: "\${BASIC_PASSWORD}" } } } }
  header: { http: { url: "${http}", auth: { header: { name: x-key, value: "\${HEADER_KEY}" } } } }
  oauth: { http: { url: "${http}", auth: { oauth2: { tokenUrl: "${tokens}", clientId: me, clientSecret: "\${CLIENT_SECRET}" } } } }
  away: { http: { url: "\${SECRET_URL}", auth: { bearer: { token: "\${BEARER}" } } }, timeout: 1s }
  rabbit: { amqp: { url: "\${AMQP_URL}" }, timeout: 100ms }
  plain: { amqp: { url: "\${PLAIN_URL}" }, timeout: 100ms }
  literal: { amqp: { url: "amqp://me:${canary('literal')}@127.0.0.1:${literal}" }, timeout: 100ms }
  nats: { nats: { url: "nats://127.0.0.1:${nats}", username: me, password: "\${NATS_PASSWORD}" }, timeout: 100ms }
  redis: { redis: { url: "redis://127.0.0.1:${redis}", password: "\${REDIS_PASSWORD}" }, timeout: 100ms }
  mqtt: { mqtt: { url: "mqtt://127.0.0.1:${mqtt}", username: me, password: "\${MQTT_PASSWORD}" }, timeout: 100ms }
  kafka:
    kafka: { brokers: ["127.0.0.1:${kafka}"], auth: { plain: { username: me, password: "\${KAFKA_PASSWORD}" } } }
    timeout: 100ms
  jobs: { channel: { name: jobs } }
flows:
${['bearer', 'basic', 'header', 'oauth', 'away']
  .map((name) => `  ${name}: { from: { http: { path: /${name} } }, steps: [ { call: { endpoint: ${name} } } ] }`)
  .join('\n')}
  rabbit: { from: { http: { path: /rabbit } }, steps: [ { send: { endpoint: rabbit, amqp: { routingKey: a } } } ] }
  plain: { from: { http: { path: /plain } }, steps: [ { send: { endpoint: plain, amqp: { routingKey: a } } } ] }
  literal: { from: { http: { path: /literal } }, steps: [ { send: { endpoint: literal, amqp: { routingKey: a } } } ] }
  nats: { from: { http: { path: /nats } }, steps: [ { send: { endpoint: nats, nats: { subject: a } } } ] }
  redis: { from: { http: { path: /redis } }, steps: [ { send: { endpoint: redis, redis: { stream: a } } } ] }
  mqtt: { from: { http: { path: /mqtt } }, steps: [ { send: { endpoint: mqtt, mqtt: { topic: a } } } ] }
  kafka: { from: { http: { path: /kafka } }, steps: [ { send: { endpoint: kafka, kafka: { topic: a } } } ] }
  door:
    from:
      http: { method: GET, path: /door, auth: { apiKey: { query: key, keys: [ { id: one, key: "\${DOOR_KEY}" } ] } } }
    steps: [ { respond: { status: 204 } } ]
  gate:
    from: { http: { method: GET, path: /gate, auth: { basic: { users: [ { name: me, password: "\${DOOR_PASSWORD}" } ] } } } }
    steps: [ { respond: { status: 204 } } ]
  validated:
    from: { http: { path: /validated } }
    steps:
      - validate:
          schema:
            type: object
            additionalProperties: false
            properties: { a: { type: integer }, b: { enum: [x] }, c: { type: string, maxLength: 3, pattern: "^x$" }, d: { type: string, format: email } }
  computed:
    from: { http: { path: /computed } }
    steps: [ { set: { variables: { n: "\${{ a * 2 }}" } } } ]
  called:
    from: { http: { path: /called } }
    steps: [ { set: { variables: { n: "\${{ $number(a) }}" } } } ]
  read:
    from: { http: { path: /read } }
    steps: [ { log: { message: "one \${{ $type($) }}" } }, { respond: { status: 200, body: ok } } ]
  waiting:
    from: { http: { path: /waiting } }
    steps: [ { send: { endpoint: jobs } }, { respond: { status: 202, body: ok } } ]
  work:
    from: { channel: { name: jobs, durable: true } }
    redelivery: { maxAttempts: 2, delay: 1ms, maxDelay: 1ms }
    steps:
      - call: { endpoint: header }
`;

const environment = ({ nobody: [, , , , , amqp, away, plain] }: Far): Readonly<Record<string, string>> => ({
  ...secrets,
  SECRET_URL: `http://127.0.0.1:${away}/${canary('secret-path')}`,
  AMQP_URL: `amqp://me:${canary('amqp-password')}@127.0.0.1:${amqp}/shop`,
  PLAIN_URL: `amqp://me:${canary('plain-password')}@127.0.0.1:${plain}`,
  LOG_LEVEL: 'debug',
});

/** As it would stand there: as it is, and as an encoding hides it. */
function sightings(text: string): readonly string[] {
  const plain = [...text.matchAll(/canary-[a-z-]+-8f31c/g)].map(([found]) => found);
  const hidden = [...text.matchAll(/[A-Za-z0-9+/_-]{16,}={0,2}|(?:[0-9a-f]{2}){12,}/g)].flatMap(([word]) => {
    const shifts = [0, 1, 2, 3].map((shift) => Buffer.from(word.slice(shift), 'base64').toString('latin1'));
    return [...shifts, Buffer.from(word, 'hex').toString('latin1')].filter((one) => one.includes('canary-'));
  });
  return [...new Set([...plain, ...hidden])];
}

const silent = (where: string, text: string): void => {
  assert.deepEqual(sightings(text), [], `${where} tells ${sightings(text).join(', ')}:\n${text.slice(0, 4000)}`);
};

async function world(t: TestContext): Promise<{ readonly far: Far; readonly project: Project }> {
  const http = await service(t, (_, response) => {
    response.writeHead(500, { 'content-type': 'application/json', 'x-answer': content.answerHeader });
    response.end(JSON.stringify({ error: content.answer }));
  });
  const tokens = await service(t, (_, response) => {
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: 'invalid_client', error_description: content.answer }));
  });
  const far = { http, tokens, nobody: await freePorts(8) };
  const [port, adminPort] = await freePorts(2);
  const written = definition(far).replace('"${PORT}"', `${port}`).replace('"${ADMIN_PORT}"', `${adminPort}`);
  return { far, project: new Project(t, { 'integration.yaml': written }) };
}

/** Everything that may go wrong with a message: the answers to callers. */
async function trouble(dowel: DowelProcess): Promise<readonly (readonly [string, string])[]> {
  const headers = {
    'content-type': 'application/json',
    'x-caller': content.header,
    cookie: `session=${content.cookie}`,
    authorization: `Bearer ${content.token}`,
  };
  const json = JSON.stringify({
    a: content.body,
    b: content.body,
    c: content.body,
    d: content.body,
  });
  const answers: (readonly [string, string])[] = [];
  const ask = async (path: string, init: RequestInit): Promise<void> => {
    const response = await fetch(`${dowel.url}${path}`, init);
    answers.push([path, `${response.status} ${JSON.stringify([...response.headers])} ${await response.text()}`]);
  };
  const names = [
    'bearer',
    'basic',
    'header',
    'oauth',
    'away',
    'rabbit',
    'plain',
    'literal',
    'nats',
    'redis',
    'mqtt',
    'kafka',
  ];
  for (const path of [...names, 'validated', 'computed', 'called', 'waiting']) {
    await ask(`/${path}`, { method: 'POST', headers, body: json });
  }
  const broken: Readonly<Record<string, string>> = {
    'application/json': `{"a": ${content.body}}`,
    'application/xml': `<a>${content.body}</b ${content.body}>`,
    'text/csv': `a,b\n"${content.body},1`,
    'application/x-www-form-urlencoded': `a=%zz${content.body}`,
    'application/x-unknown': content.body,
    'text/plain; charset=x-unknown': content.body,
  };
  for (const [type, body] of Object.entries(broken)) {
    await ask('/read', { method: 'POST', headers: { ...headers, 'content-type': type }, body });
  }
  await ask(`/door?key=${content.token}`, { headers });
  await ask(`/door?key=${secrets.DOOR_KEY}`, { headers });
  await ask('/gate', { headers: { ...headers, authorization: basic('me', content.token) } });
  await ask('/gate', { headers: { ...headers, authorization: basic('me', secrets.DOOR_PASSWORD) } });
  return answers;
}

const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

test('no secret, no body and no header is told by logs at debug, answers, the admin server or traces', async (t) => {
  const { far, project } = await world(t);
  await using receiver = await new OtlpReceiver().start();
  const env = { ...environment(far), OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '50' };
  await using dowel = await startDowel(project.path(), { env });
  for (const [path, answer] of await trouble(dowel)) {
    silent(`the answer of ${path}`, answer);
  }
  const admin = async (path: string): Promise<string> => {
    const headers = { authorization: `Bearer ${secrets.ADMIN_TOKEN}` };
    return (await fetch(`http://127.0.0.1:${dowel.adminPort}${path}`, { headers })).text();
  };
  await eventually('there is a dead letter', async () => /"id"/.test(await admin('/dead-letters')));
  const { letters } = JSON.parse(await admin('/dead-letters')) as {
    readonly letters: readonly { readonly id: string }[];
  };
  for (const path of ['/status', '/metrics', '/dead-letters', '/openapi.json', '/asyncapi.json', '/nothing']) {
    silent(path, await admin(path));
  }
  const wrong = await fetch(`http://127.0.0.1:${dowel.adminPort}/status`, {
    headers: { authorization: `Bearer ${content.token}` },
  });
  silent('a refusal of the admin server', `${wrong.status} ${await wrong.text()}`);
  const letter = `/dead-letters/${letters[0]?.id}`;
  // Whoever asks for one message may see it.
  assert.ok(sightings(await admin(`${letter}/body`)).includes(content.body));
  const shown = sightings(await admin(letter)).filter((one) => !Object.values<string>(content).includes(one));
  assert.deepEqual(shown, []);
  await eventually('spans have come', () => receiver.taken.length > 20);
  await dowel.stop();
  silent('the log', dowel.stdout);
  silent('stderr', dowel.stderr);
  for (const { body, spans, headers } of receiver.requests) {
    silent('a trace', `${body.toString('latin1')} ${inspect(spans, { depth: 10 })} ${JSON.stringify(headers)}`);
  }
});

test('no secret is told by the command line: validate, graph, kube, dev', async (t) => {
  const { far, project } = await world(t);
  const env = environment(far);
  // Of what stands in the file itself a mistake shows the line; it is no secret to whoever checks the file.
  const known = canary('literal');
  const formats = ['text', 'json', 'sarif', 'github'];
  const commands = [...formats.map((format) => ['validate', '--format', format]), ['graph'], ['kube']];
  for (const command of commands) {
    for (const name of ['integration.yaml', 'broken.yaml']) {
      project.write(
        'broken.yaml',
        definition(far).replace('path: /read', 'path: read').replace('"${PORT}"', '"${PLAIN_URL}"'),
      );
      const { stdout, stderr } = await runDowel([...command, project.path(name)], { env });
      silent(`${command.join(' ')} ${name}`, `${stdout}\n${stderr}`.replaceAll(known, ''));
    }
  }
  await using dev = await startDowel(project.path(), { command: 'dev', env });
  await dev.stop();
  silent('dev', `${dev.stdout}\n${dev.stderr}`);
});

test('the search for them finds what an encoding hides', () => {
  assert.deepEqual(sightings('nothing'), []);
  assert.equal(sightings(`x ${secrets.BEARER} y`).length, 1);
  for (const name of ['m', 'me', 'you']) assert.equal(sightings(basic(name, secrets.BASIC_PASSWORD)).length > 0, true);
  assert.equal(sightings(Buffer.from(secrets.BEARER).toString('hex')).length > 0, true);
});
