import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Body, failure } from '#sdk';
import { telemetry as http } from '../../../connectors/http/telemetry.ts';
import { soapTelemetry } from '../../../connectors/soap/telemetry.ts';
import { outgoing, plainContext } from '../../support/plain-context.ts';

const telemetry = soapTelemetry(http);

describe('what spans of SOAP say', () => {
  test('of a call: that of HTTP, and the operation', () => {
    const endpoint = telemetry.endpoint?.({ url: 'http://calc/service' } as never);
    const { name, kind, attributes } =
      endpoint?.began(outgoing(plainContext(), { operation: { operation: 'Add' } })) ?? {};
    assert.deepEqual([name, kind], ['POST', 'client']);
    assert.equal(attributes?.['url.full'], 'http://calc/service');
    assert.equal(attributes?.['dowel.soap.operation'], 'Add');
  });

  test('of a message: that of HTTP, and the operation; the status of a fault only the answer knows', () => {
    const source = telemetry.source?.({ path: '/calc' } as never, { host: '0.0.0.0', port: 8080 });
    const origin = { source: { method: 'POST', path: '/calc', operation: 'Add' }, receivedAt: 0, attempt: 1 };
    const began = source?.began({ body: Body.empty, headers: {}, origin });
    assert.equal(began?.name, 'POST /calc');
    assert.equal(began?.attributes['dowel.soap.operation'], 'Add');
    assert.deepEqual(source?.ended?.(200, undefined), { 'http.response.status_code': 200 });
    assert.deepEqual(source?.ended?.(500, failure('timeout', { ms: 1 })), { 'http.response.status_code': undefined });
  });
});
