import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { integrationOf, startIntegration, startService } from '../connectors/http/support.ts';
import { eventually } from '../support/eventually.ts';

describe('over HTTP', () => {
  test('GET and HEAD are kept apart, POST is not kept, and ends what is kept of its path', async (t) => {
    let n = 0;
    const service = await startService(t, (request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'max-age=60', etag: `"${++n}"` });
      response.end(request.method === 'HEAD' ? undefined : JSON.stringify({ n }));
    });
    const yaml = integrationOf(
      {
        main: {
          from: 'http: { method: POST, path: "/{id}" }',
          steps:
            '- call: { endpoint: far, http: { method: "${{ method }}", path: "/items/${{ $params.id }}", query: { page: "${{ page }}" } } }',
        },
      },
      `far: { http: { url: ${service.url} }, cache: {} }`,
    );
    const { url } = await startIntegration(t, yaml);
    const ask = async (id: string, body: unknown): Promise<string> => {
      const response = await fetch(`${url}/${id}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return response.text();
    };
    assert.equal(await ask('1', { method: 'GET' }), '{"n":1}');
    assert.equal(await ask('1', { method: 'GET' }), '{"n":1}');
    assert.equal(await ask('1', { method: 'GET', page: 2 }), '{"n":2}');
    assert.equal(await ask('1', { method: 'HEAD' }), '');
    assert.equal(await ask('1', { method: 'HEAD' }), '');
    assert.equal(await ask('2', { method: 'GET' }), '{"n":4}');
    assert.equal(await ask('1', { method: 'PUT' }), '{"n":5}');
    assert.equal(await ask('1', { method: 'GET' }), '{"n":6}');
    assert.equal(await ask('2', { method: 'GET' }), '{"n":4}');
    assert.equal(await ask('1', { method: 'GET', page: 2 }), '{"n":2}');
    assert.equal(service.requests.length, 6);
  });

  test('what is read while it is changed is not kept', async (t) => {
    let held: (() => void) | undefined;
    let stored = 'old';
    const service = await startService(t, (request, response) => {
      if (request.method === 'PUT') stored = 'new';
      const seen = stored;
      const answer = (): void => void response.writeHead(200, { 'cache-control': 'max-age=60' }).end(seen);
      if (request.method === 'GET' && !held) held = answer;
      else answer();
    });
    const yaml = integrationOf(
      {
        main: {
          from: 'http: { method: [GET, PUT], path: /item }',
          steps: '- call: { endpoint: far, http: { method: "${{ $source.method }}", path: /item } }',
        },
      },
      `far: { http: { url: ${service.url} }, cache: {} }`,
    );
    const { url } = await startIntegration(t, yaml);
    const ask = async (method: string): Promise<string> => (await fetch(`${url}/item`, { method })).text();
    const slow = ask('GET');
    await eventually('the GET is under way', () => held !== undefined);
    await ask('PUT');
    held?.();
    assert.equal(await slow, 'old');
    assert.equal(await ask('GET'), 'new');
    assert.equal(await ask('GET'), 'new');
    assert.equal(service.requests.length, 3);
  });

  test('a 304 of the service is no error, and its connection is used again', async (t) => {
    const service = await startService(t, (request, response) => {
      const isSame = request.headers['if-none-match'] === '"v1"';
      response.writeHead(isSame ? 304 : 200, { etag: '"v1"', 'content-type': 'text/plain' });
      response.end(isSame ? undefined : 'hello');
    });
    const yaml = integrationOf(
      {
        main: {
          from: 'http: { method: GET, path: / }',
          steps: '- call: { endpoint: far, http: { method: GET, path: /greeting } }',
        },
      },
      `far: { http: { url: ${service.url} }, cache: {} }`,
    );
    const { url } = await startIntegration(t, yaml);
    for (let i = 0; i < 3; i++) {
      const response = await fetch(url);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), 'text/plain');
      assert.equal(await response.text(), 'hello');
    }
    assert.deepEqual(
      service.requests.map((one) => one.headers['if-none-match']),
      [undefined, '"v1"', '"v1"'],
    );
    assert.equal(service.sockets.size, 1);
  });
});
