import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Body, failure, httpFailure, noHeaders } from '#sdk';
import { telemetry } from '../../../connectors/http/telemetry.ts';
import { outgoing, plainContext } from '../../support/plain-context.ts';

const server = { host: '0.0.0.0', port: 8080 };
const context = plainContext();

describe('what spans of http sources say', () => {
  const incoming = (facts: Readonly<Record<string, unknown>>, host: string) => ({
    body: Body.empty,
    headers: { host, authorization: 'Bearer canary' },
    origin: { source: facts, receivedAt: 0, attempt: 1 },
  });

  test('the route as the file writes it, the path as it came, without its query', () => {
    const source = telemetry.source?.({ path: '/orders/{id}', method: 'POST', reply: 'result' } as never, server);
    const facts = { method: 'POST', path: '/orders/A1', url: '/orders/A1?key=canary', remoteAddress: '10.0.0.7' };
    const began = source?.began(incoming(facts, 'shop.example'));
    assert.equal(began?.name, 'POST /orders/{id}');
    assert.deepEqual(began?.attributes, {
      'http.request.method': 'POST',
      'http.route': '/orders/{id}',
      'url.path': '/orders/A1',
      'url.scheme': 'http',
      'client.address': '10.0.0.7',
      'server.address': 'shop.example',
      'server.port': 80,
    });
    assert.deepEqual(source?.ended?.(201, undefined), { 'http.response.status_code': 201 });
  });

  test('a method that somebody made up is none of its own; over TLS the scheme is https', () => {
    const source = telemetry.source?.({ path: '/a', method: 'POST' } as never, { ...server, tls: {} as never });
    const began = source?.began(incoming({ method: 'BREW', path: '/a' }, '[::1]:8443'));
    assert.equal(began?.name, 'HTTP /a');
    assert.equal(began?.attributes['http.request.method'], '_OTHER');
    assert.equal(began?.attributes['url.scheme'], 'https');
    assert.deepEqual([began?.attributes['server.address'], began?.attributes['server.port']], ['::1', 8443]);
  });

  test('what was accepted is consumed afterwards, and has no answer any more', () => {
    const source = telemetry.source?.({ path: '/a', method: 'POST', reply: 'accepted' } as never, server);
    assert.equal(source?.kind, 'consumer');
    assert.deepEqual(source?.ended?.(200, undefined), {});
  });
});

describe('what spans of http calls say', () => {
  const began = (options: object, operation: object) =>
    telemetry.endpoint?.(options as never).began(outgoing(context).with({ operation }));

  test('where they went, without query, credentials and slashes that there are not', () => {
    const full = (url: string, path?: string): unknown =>
      began({ url }, { method: 'GET', path })?.attributes['url.full'];
    assert.equal(full('http://ann:canary@far/api/?key=canary', '/stock/tea?who=canary'), 'http://far/api/stock/tea');
    assert.equal(full('https://far', 'stock'), 'https://far/stock');
    assert.equal(full('https://far'), 'https://far/');
    assert.equal(full('https://far/api'), 'https://far/api');
  });

  test('the method, and which server', () => {
    const { kind, name, attributes } = began({ url: 'https://far/api' }, {}) ?? {};
    assert.deepEqual([kind, name], ['client', 'POST']);
    assert.deepEqual([attributes?.['server.address'], attributes?.['server.port']], ['far', 443]);
    assert.equal(began({ url: 'https://far' }, { method: 'purge' })?.attributes['http.request.method'], '_OTHER');
  });

  test('of several targets only what is known before one is chosen', () => {
    const { attributes } = began({ urls: ['http://a', 'http://b'] }, { method: 'GET', path: '/x' }) ?? {};
    assert.deepEqual(attributes, { 'http.request.method': 'GET', 'url.full': undefined });
  });

  test('the status of the answer; of one that was not wanted also as the type of the error', () => {
    const endpoint = telemetry.endpoint?.({ url: 'http://far' } as never);
    const answer = outgoing(context).with({ response: { status: 204, headers: noHeaders, endpoint: 'far' } });
    assert.deepEqual(endpoint?.ended?.(answer, undefined), { 'http.response.status_code': 204 });
    assert.deepEqual(endpoint?.ended?.(undefined, httpFailure(503, {})), {
      'http.response.status_code': 503,
      'error.type': '503',
    });
    const unanswered = endpoint?.ended?.(undefined, failure('timeout', { ms: 1 }));
    assert.deepEqual(unanswered, { 'http.response.status_code': undefined });
  });
});
