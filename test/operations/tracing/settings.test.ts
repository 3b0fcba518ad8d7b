import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type TracingSettings, tracingSettings } from '../../../src/operations/tracing/settings.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

function read(env: Readonly<Record<string, string>>): TracingSettings {
  const settings = tracingSettings({ ...endpoint, ...env });
  assert.ok(typeof settings === 'object', String(settings));
  return settings;
}

describe('what the environment says about traces', () => {
  test('an address alone: Protocol Buffers to /v1/traces, all traces that begin here, batches as everywhere', () => {
    const { receiver, sampler, batch, resource } = read({});
    assert.equal(receiver.url.href, 'http://collector:4318/v1/traces');
    assert.equal(receiver.encoding, 'protobuf');
    assert.equal(receiver.gzip, false);
    assert.equal(receiver.timeout, 10_000);
    assert.deepEqual(sampler, { name: 'parentbased_always_on', ratio: 1 });
    assert.deepEqual(batch, { delay: 5000, capacity: 2048, size: 512 });
    assert.deepEqual(resource, {});
  });

  test('the address for traces alone is taken as it is, and goes before the other', () => {
    const { receiver } = read({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example/otlp?tenant=a' });
    assert.equal(receiver.url.href, 'https://traces.example/otlp?tenant=a');
    const slash = read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://api.example/otlp/' });
    assert.equal(slash.receiver.url.href, 'https://api.example/otlp/v1/traces');
  });

  test('headers are percent-encoded pairs; those for traces alone go before the others', () => {
    const { receiver } = read({ OTEL_EXPORTER_OTLP_HEADERS: 'Api-Key=a%20b%2Cc, x-tenant = shop' });
    assert.deepEqual(receiver.headers, { 'api-key': 'a b,c', 'x-tenant': 'shop' });
    const own = read({ OTEL_EXPORTER_OTLP_HEADERS: 'a=1', OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'b=Basic dTpw==' });
    assert.deepEqual(own.receiver.headers, { b: 'Basic dTpw==' });
  });

  test('the name of the service goes before the one among the attributes', () => {
    const { resource } = read({
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=prod,service.name=a,team=order%20desk',
      OTEL_SERVICE_NAME: 'b',
    });
    assert.deepEqual(resource, {
      'deployment.environment.name': 'prod',
      'service.name': 'b',
      team: 'order desk',
    });
  });

  test('samplers, batches, protocol, compression and patience', () => {
    const { receiver, sampler, batch } = read({
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_TIMEOUT: '2000',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_BSP_MAX_QUEUE_SIZE: '100',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '512',
    });
    assert.equal(receiver.encoding, 'json');
    assert.equal(receiver.gzip, true);
    assert.equal(receiver.timeout, 2000);
    assert.deepEqual(sampler, { name: 'parentbased_traceidratio', ratio: 0.25 });
    assert.deepEqual(batch, { delay: 100, capacity: 100, size: 100 });
  });

  test('switched off, or no address: no traces', () => {
    assert.equal(tracingSettings({}), undefined);
    assert.equal(tracingSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }), undefined);
    assert.equal(tracingSettings({ ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }), undefined);
    assert.equal(tracingSettings({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }), undefined);
  });

  const wrong: Readonly<Record<string, readonly [env: Readonly<Record<string, string>>, says: RegExp]>> = {
    'an address without a scheme': [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' },
      /^OTEL_EXPORTER_OTLP_ENDPOINT is not an http:\/\/ or https:\/\/ address, such as http:\/\/localhost:4318$/,
    ],
    'gRPC says what to write instead': [
      { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      /^OTEL_EXPORTER_OTLP_PROTOCOL is "grpc".*http\/protobuf or http\/json.*4318/,
    ],
    'another protocol': [
      { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'udp' },
      /^OTEL_EXPORTER_OTLP_TRACES_PROTOCOL is "udp"; it takes http\/protobuf, http\/json$/,
    ],
    'another exporter': [{ OTEL_TRACES_EXPORTER: 'zipkin' }, /^OTEL_TRACES_EXPORTER is "zipkin"; it takes otlp, none$/],
    'a sampler that there is not': [{ OTEL_TRACES_SAMPLER: 'xray' }, /^OTEL_TRACES_SAMPLER is "xray"; it takes parent/],
    'a ratio above one': [
      { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '25' },
      /^OTEL_TRACES_SAMPLER_ARG is "25"; with traceidratio it takes a number between 0 and 1$/,
    ],
    'a time with a unit': [
      { OTEL_EXPORTER_OTLP_TIMEOUT: '10s' },
      /^OTEL_EXPORTER_OTLP_TIMEOUT is "10s"; it takes a number of milliseconds, without a unit, at least 1$/,
    ],
    'an empty queue': [
      { OTEL_BSP_MAX_QUEUE_SIZE: '0' },
      /^OTEL_BSP_MAX_QUEUE_SIZE is "0"; it takes a whole number, at least 1$/,
    ],
    'a file that is not there': [
      { OTEL_EXPORTER_OTLP_CERTIFICATE: '/nowhere/ca.pem' },
      /^OTEL_EXPORTER_OTLP_CERTIFICATE names the file \/nowhere\/ca.pem, which cannot be read$/,
    ],
    'a switch that is neither': [{ OTEL_SDK_DISABLED: 'yes' }, /^OTEL_SDK_DISABLED is "yes"; it takes true, false$/],
  };
  for (const [name, [env, says]] of Object.entries(wrong)) {
    test(`${name}: one line that names the variable`, () => {
      const problem = tracingSettings({ ...endpoint, ...env });
      assert.match(String(problem), says);
      assert.doesNotMatch(String(problem), /\n/);
    });
  }

  test('what stands in the headers is never repeated, however wrong it is', () => {
    for (const headers of ['hunter2-secret', 'a=%zz-hunter2-secret', 'a=hunter2-secret\u0000', 'x=1,hunter2-secret']) {
      const problem = tracingSettings({ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers });
      assert.match(String(problem), /^OTEL_EXPORTER_OTLP_HEADERS /);
      assert.doesNotMatch(String(problem), /hunter2/);
    }
  });
});
