import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { writeYaml } from '../../src/integration/write-yaml.ts';
import { at, kinds, manifestsOfTexts, ofKind, reading } from './support/manifests.ts';
import { assertValid } from './support/schemas.ts';

const http = '{ http: { method: GET, path: / } }';
const pod = 'spec.template.spec';
const container = `${pod}.containers.0`;

describe('pods', () => {
  test('run as nobody, may write nothing but /tmp, and are probed at the admin port', async (t) => {
    const { manifests } = await manifestsOfTexts(t, { 'integration.yaml': reading(http) });
    const deployment = ofKind(manifests, 'Deployment');
    assert.deepEqual(at(deployment, `${pod}.securityContext`), {
      runAsNonRoot: true,
      runAsUser: 10_001,
      runAsGroup: 10_001,
      fsGroup: 10_001,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    assert.deepEqual(at(deployment, `${container}.securityContext`), {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    for (const [probe, path] of [
      ['startupProbe', '/startupz'],
      ['livenessProbe', '/livez'],
      ['readinessProbe', '/readyz'],
    ]) {
      assert.deepEqual(at(deployment, `${container}.${probe}.httpGet`), { path, port: 'admin' });
    }
    assert.deepEqual(at(deployment, `${container}.ports`), [
      { name: 'http', containerPort: 8080 },
      { name: 'admin', containerPort: 9400 },
    ]);
    const env = at(deployment, `${container}.env`) as readonly { readonly name: string }[];
    assert.deepEqual(env, [{ name: 'DOWEL_ADMIN_HOST', value: '0.0.0.0' }]);
    assert.deepEqual(at(deployment, `${container}.args`), ['run', '/integration/integration.yaml']);
  });

  test('get what is set about logs and traces, and no credentials of it', async (t) => {
    const env = {
      LOG_CALLS: 'info',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://ann:canary@collector:4318/v1/traces',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=canary',
      OTEL_TRACES_SAMPLER: 'always_on',
    };
    const { manifests } = await manifestsOfTexts(t, { 'integration.yaml': reading(http) }, env);
    const set = at(ofKind(manifests, 'Deployment'), `${container}.env`);
    assert.deepEqual(set, [
      { name: 'DOWEL_ADMIN_HOST', value: '0.0.0.0' },
      { name: 'LOG_CALLS', value: 'info' },
      { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: 'http://collector:4318' },
      { name: 'OTEL_TRACES_SAMPLER', value: 'always_on' },
    ]);
    assert.doesNotMatch(JSON.stringify(manifests), /canary/);
  });

  test('get more time to stop than the drain takes', async (t) => {
    const seconds = async (env: Readonly<Record<string, string>>) => {
      const { manifests } = await manifestsOfTexts(t, { 'integration.yaml': reading(http) }, env);
      return Number(at(ofKind(manifests, 'Deployment'), `${pod}.terminationGracePeriodSeconds`));
    };
    assert.ok((await seconds({})) > 25);
    assert.ok((await seconds({ DOWEL_DRAIN_TIMEOUT: '2m' })) > 120);
  });

  test('are replaced when the definition or its configuration changes, and else are not', async (t) => {
    const sum = async (env: Readonly<Record<string, string>>, more = '') => {
      const { manifests } = await manifestsOfTexts(t, { 'integration.yaml': reading(http, { more }) }, env);
      return at(ofKind(manifests, 'Deployment'), 'spec.template.metadata.annotations.checksum/definition');
    };
    const first = await sum({});
    assert.equal(await sum({}), first);
    assert.notEqual(await sum({ PORT: '8081' }), first);
    assert.notEqual(await sum({}, '# another'), first);
  });

  test('names are those of Kubernetes, whatever the integration is called', async (t) => {
    const { manifests } = await manifestsOfTexts(t, { 'integration.yaml': reading(http) });
    const { name, labels } = ofKind(manifests, 'Deployment').metadata;
    assert.equal(name, 'reader-1');
    assert.equal(labels?.['app.kubernetes.io/version'], '1.0.0-build-7');
  });
});

describe('configuration', () => {
  test('defaults and the environment go into a ConfigMap; the name of the pod comes from the pod', async (t) => {
    const config = '  ON: { default: "yes" }\n  HOSTNAME: {}\n  URL: { type: uri }\n  MAYBE: { required: false }\n';
    const { manifests, notes } = await manifestsOfTexts(
      t,
      { 'integration.yaml': reading(http, { config }) },
      { PORT: '8090', HOSTNAME: 'my-laptop' },
    );
    const [, values] = manifests;
    assert.deepEqual(values?.['data'], { PORT: '8090', ON: 'yes' });
    assert.match(writeYaml(manifests), /['"]?ON['"]?: ['"]yes['"]/);
    assert.doesNotMatch(writeYaml(manifests), /my-laptop/);
    const deployment = ofKind(manifests, 'Deployment');
    assert.deepEqual(at(deployment, `${container}.env.1.valueFrom`), { fieldRef: { fieldPath: 'metadata.name' } });
    assert.equal(at(deployment, `${container}.ports.0.containerPort`), 8090);
    assert.ok(notes.some((note) => note.startsWith('URL has no value')));
    assert.ok(!notes.some((note) => note.startsWith('MAYBE')));
  });

  test('secrets are references, and their values stand nowhere', async (t) => {
    const canary = 'c4nary-in-the-mine';
    const config =
      '  KEY: { secret: true }\n  AMQP_URL: { type: uri, secret: true }\n  SPARE: { secret: true, required: false }\n';
    const from = '{ amqp: { url: "${AMQP_URL}", queue: work } }';
    const result = await manifestsOfTexts(
      t,
      { 'integration.yaml': reading(from, { config, flow: '    deadLetter: { endpoint: parked }' }) },
      { KEY: canary, AMQP_URL: `amqp://me:${canary}@mq/` },
      { namespace: 'shop' },
    );
    assert.doesNotMatch(JSON.stringify(result), new RegExp(canary));
    assert.ok(!kinds(result).includes('Secret'));
    const env = at(ofKind(result.manifests, 'Deployment'), `${container}.env`) as readonly unknown[];
    assert.deepEqual(env.slice(1), [
      { name: 'KEY', valueFrom: { secretKeyRef: { name: 'reader-1-secrets', key: 'KEY' } } },
      { name: 'AMQP_URL', valueFrom: { secretKeyRef: { name: 'reader-1-secrets', key: 'AMQP_URL' } } },
      { name: 'SPARE', valueFrom: { secretKeyRef: { name: 'reader-1-secrets', key: 'SPARE', optional: true } } },
    ]);
    const [how] = result.notes;
    assert.match(
      how ?? '',
      /kubectl create secret generic reader-1-secrets --namespace shop --from-literal=KEY="\$KEY" /,
    );
  });

  test('a password in a value that is no secret is refused, and not repeated', async (t) => {
    const config = '  URL: { type: uri }\n';
    const { manifests, problems } = await manifestsOfTexts(
      t,
      { 'integration.yaml': reading(http, { config }) },
      { URL: 'http://me:c4nary@host/' },
    );
    assert.deepEqual(manifests, []);
    assert.match(problems.join(), /^the value of URL holds a password.*secret: true/);
    assert.doesNotMatch(problems.join(), /c4nary/);
  });

  test('a password that stands in the file is refused, with its place and what to write instead', async (t) => {
    const refusedOf = async (url: string, config = ''): Promise<readonly string[]> => {
      const file = reading(`{ amqp: { url: "${url}", queue: work } }`, { config });
      const { manifests, problems } = await manifestsOfTexts(t, { 'integration.yaml': file });
      assert.deepEqual(manifests, []);
      assert.doesNotMatch(problems.join(), /c4nary/);
      return problems;
    };
    const [inUrl, ...others] = await refusedOf('amqp://me:c4nary@mq/');
    assert.match(
      inUrl ?? '',
      /integration\.yaml:\d+:\d+: `url` holds a password.*`NAME: \{ type: uri, secret: true \}`.*no secret$/,
    );
    assert.deepEqual(others, []);
    assert.match(
      (await refusedOf('amqp://me:${PASS}@mq/', '  PASS: {}\n')).join(),
      /declare `PASS` with `secret: true`/,
    );
    const config = '  MQ: { type: uri, secret: true, default: "amqp://me:c4nary@mq/" }\n';
    assert.match(
      (await refusedOf('${MQ}', config)).join(),
      /^the default of MQ holds a password.*leave the default out$/,
    );
  });

  test('the default of a secret, which stands in the definition, is named and not repeated', async (t) => {
    const from = '{ amqp: { url: "${MQ}", queue: work } }';
    const config = [
      '  MQ: { type: uri, secret: true, default: "amqp://localhost" }',
      '  KEY: { secret: true, default: c4nary }',
      '  EMPTY: { secret: true, default: "" }',
      '  NONE: { secret: true }\n',
    ].join('\n');
    const { problems, notes } = await manifestsOfTexts(t, { 'integration.yaml': reading(from, { config }) });
    assert.deepEqual(problems, []);
    const named = notes.filter((note) => note.startsWith('the default of'));
    assert.equal(named.length, 1);
    assert.match(
      named.join(),
      /^the default of KEY stands in the definition.*a ConfigMap, which is no secret.*leave the default out/,
    );
    assert.doesNotMatch(notes.join(), /c4nary/);
  });

  test('a URL with a password from outside is no reason to refuse', async (t) => {
    const from = '{ amqp: { url: "amqp://me:${PASS}@mq/", queue: work } }';
    const config = '  PASS: { secret: true }\n';
    const { problems } = await manifestsOfTexts(t, { 'integration.yaml': reading(from, { config }) });
    assert.deepEqual(problems, []);
  });

  test('a host of this machine only is opened where `config` gives it, and named where it does not', async (t) => {
    const config = '  HOST: { default: 127.0.0.1 }\n';
    const file = reading(http, { config }).replace('port: "${PORT}"', 'port: "${PORT}", host: "${HOST}"');
    const { manifests } = await manifestsOfTexts(t, { 'integration.yaml': file });
    assert.equal(at(manifests[1], 'data.HOST'), '0.0.0.0');
    const fixed = await manifestsOfTexts(t, { 'integration.yaml': file.replace('"${HOST}"', '127.0.0.1') });
    assert.ok(fixed.notes.some((note) => note.startsWith('server.host is 127.0.0.1')));
  });

  test('a port that is only known at run time is refused', async (t) => {
    const { problems } = await manifestsOfTexts(t, { 'integration.yaml': reading(http) }, { PORT: '0' });
    assert.match(problems.join(), /^server\.port has no number/);
    const file = reading(http).replace('type: integer, default: 8080', 'type: integer');
    const unset = await manifestsOfTexts(t, { 'integration.yaml': file });
    assert.match(unset.problems.join(), /^server\.port has no number.*: PORT=8080 dowel kube …$/);
  });
});

describe('the definition', () => {
  const steps = '    concurrency: 5';
  const validating = (path: string) =>
    reading(http, { flow: steps }).replace('- log', `- validate: { schema: ${path} }\n      - log`);

  test('comes with the files that it refers to, in their folders', async (t) => {
    const file = validating('./schemas/in.json');
    const { manifests } = await manifestsOfTexts(t, { 'my.yaml': file, 'schemas/in.json': '{}' });
    assert.deepEqual(manifests[0]?.['data'], { 'my.yaml': file, 'schemas_in.json': '{}' });
    const deployment = ofKind(manifests, 'Deployment');
    assert.deepEqual(at(deployment, `${pod}.volumes.0.projected.sources.0.configMap.items`), [
      { key: 'my.yaml', path: 'my.yaml' },
      { key: 'schemas_in.json', path: 'schemas/in.json' },
    ]);
    assert.deepEqual(at(deployment, `${container}.args`), ['run', '/integration/my.yaml']);
  });

  test('a file outside of its folder is refused', async (t) => {
    const { problems } = await manifestsOfTexts(t, { 'my.yaml': validating('../in.json'), '../in.json': '{}' });
    assert.match(problems.join(), /^\.\.\/in\.json lies outside of the folder/);
  });

  test('more than a ConfigMap holds is refused', async (t) => {
    const large = JSON.stringify({ description: 'x'.repeat(1024 * 1024) });
    const { problems } = await manifestsOfTexts(t, { 'my.yaml': validating('./in.json'), 'in.json': large });
    assert.match(problems.join(), /a ConfigMap holds 1 MiB .*the largest is in\.json/);
  });

  test('credentials among its files come from a Secret', async (t) => {
    const creds = '-----BEGIN NATS USER JWT-----\nc4nary\n------END NATS USER JWT------\n';
    const from = '{ nats: { url: "nats://mq:4222", stream: WORK, credentials: ./my.creds } }';
    const result = await manifestsOfTexts(t, { 'my.yaml': reading(from), 'my.creds': creds });
    assert.doesNotMatch(JSON.stringify(result), /c4nary/);
    const sources = at(ofKind(result.manifests, 'Deployment'), `${pod}.volumes.0.projected.sources`);
    assert.deepEqual(at(sources, '1.secret'), {
      name: 'reader-1-files',
      items: [{ key: 'my.creds', path: 'my.creds' }],
    });
    assert.ok(result.notes.some((note) => note.includes('reader-1-files --from-file=my.creds=my.creds')));
    for (const manifest of result.manifests) assertValid(manifest);
  });

  test('with `server.tls` the Service is one of https, and the key comes from a Secret', async (t) => {
    const key = '-----BEGIN PRIVATE KEY-----\nc4nary\n-----END PRIVATE KEY-----\n';
    const tls = 'tls: { cert: ./tls.crt, key: ./tls.key }';
    const yaml = reading(http).replace('server: { ', `server: { ${tls}, `);
    const result = await manifestsOfTexts(t, { 'my.yaml': yaml, 'tls.crt': 'CERT\n', 'tls.key': key });
    assert.deepEqual(at(ofKind(result.manifests, 'Service'), 'spec.ports'), [
      { name: 'https', port: 443, targetPort: 'https' },
    ]);
    assert.deepEqual(at(ofKind(result.manifests, 'Deployment'), `${container}.ports.0`), {
      name: 'https',
      containerPort: 8080,
    });
    assert.doesNotMatch(JSON.stringify(result), /c4nary/);
    for (const manifest of result.manifests) assertValid(manifest);
  });
});
