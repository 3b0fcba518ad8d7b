import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { Body } from '../../src/core/body.ts';
import { failure } from '../../src/errors.ts';
import { codec } from '../../src/format/codec.ts';

describe('the body of an answer', () => {
  test('that cannot be read is the fault of who answered', () => {
    const broken = Body.bytes('{ "a": ', 'application/json', 'inventory');
    const picture = Body.bytes('x', 'image/png', 'inventory');
    for (const body of [broken, picture]) {
      assert.throws(() => body.value(codec), {
        code: 'invalid-response',
        kind: 'transient',
        status: 502,
        message: /^inventory answered something that cannot be used: /,
      });
    }
  });

  test('is that also when it came as a stream', async () => {
    const stream = Readable.from([Buffer.from('{ "a": ')]);
    const tooLarge = (limit: number) => failure('response-too-large', { limit });
    const body = Body.stream({ stream, limit: 100, tooLarge }, 'application/json', 'inventory');
    await assert.rejects(async () => body.value(codec), { code: 'invalid-response' });
  });

  test('is read as any other when it is right', () => {
    assert.deepEqual(Body.bytes('{ "a": 1 }', 'application/json', 'inventory').value(codec), { a: 1 });
  });
});

test('what a caller sent is the fault of the caller', () => {
  assert.throws(() => Body.bytes('{ "a": ', 'application/json').value(codec), { code: 'malformed', status: 400 });
});
