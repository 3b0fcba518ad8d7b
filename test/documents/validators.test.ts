/** That what judges documents finds them wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAsyncApi, isOpenApi } from './validators.ts';

const info = { title: 'T', version: '1' };

for (const [what, document] of [
  ['no info', { openapi: '3.1.0', paths: {} }],
  [
    'an operation whose answer has no description',
    { openapi: '3.1.0', info, paths: { '/a': { get: { responses: { 200: {} } } } } },
  ],
  ['a path without a slash', { openapi: '3.1.0', info, paths: { a: {} } }],
  [
    'a reference to nothing',
    { openapi: '3.1.0', info, paths: { '/a': { get: { responses: { 200: { $ref: '#/components/responses/A' } } } } } },
  ],
  ['a schema that is none', { openapi: '3.1.0', info, paths: {}, components: { schemas: { A: { type: 'objekt' } } } }],
] as const) {
  test(`OpenAPI: ${what}`, async () => {
    await assert.rejects(isOpenApi(document));
  });
}

const channels = { a: { address: 'a', messages: {} } };

for (const [what, document] of [
  ['no info', { asyncapi: '3.0.0' }],
  ['a server without a protocol', { asyncapi: '3.0.0', info, servers: { a: { host: 'a' } } }],
  [
    'an action that is none',
    { asyncapi: '3.0.0', info, channels, operations: { a: { action: 'take', channel: { $ref: '#/channels/a' } } } },
  ],
  [
    'an operation on no channel',
    { asyncapi: '3.0.0', info, channels, operations: { a: { action: 'send', channel: { $ref: '#/channels/b' } } } },
  ],
  [
    'a binding that is none',
    {
      asyncapi: '3.0.0',
      info,
      channels: { a: { address: 'a', bindings: { amqp: { is: 'topic', bindingVersion: '0.3.0' } } } },
    },
  ],
] as const) {
  test(`AsyncAPI: ${what}`, () => {
    assert.throws(() => isAsyncApi(document));
  });
}
