import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { Body, type Codec } from '../../src/core/body.ts';
import { failure } from '../../src/errors.ts';
import { codec } from '../../src/format/codec.ts';

const streamOf = (chunks: readonly string[], limit = 1000, length?: number) => {
  const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  return {
    stream,
    body: Body.stream(
      { stream, limit, length, tooLarge: (max) => failure('too-large', { limit: max }) },
      'application/json',
    ),
  };
};

/** Counts what is asked of it. */
const counting = (): { codec: Codec; reads: () => number; writes: () => number } => {
  let reads = 0;
  let writes = 0;
  return {
    codec: {
      defaultType: codec.defaultType,
      read: (...args) => {
        reads++;
        return codec.read(...args);
      },
      write: (...args) => {
        writes++;
        return codec.write(...args);
      },
    },
    reads: () => reads,
    writes: () => writes,
  };
};

describe('body', () => {
  test('bytes are parsed at the first look, once; never when they are only passed on', () => {
    const count = counting();
    const body = Body.bytes('{"a":1}', 'application/json');
    assert.equal(body.bytes(count.codec), '{"a":1}');
    assert.equal(count.reads(), 0);
    assert.deepEqual(body.value(count.codec), { a: 1 });
    assert.equal(body.value(count.codec), body.value(count.codec));
    assert.equal(count.reads(), 1);
    assert.equal(body.bytes(count.codec), '{"a":1}');
    assert.equal(count.writes(), 0);
  });

  test('a value is written once, however often it is sent', () => {
    const count = counting();
    const body = Body.value({ a: 1 });
    assert.equal(String(body.bytes(count.codec)), '{"a":1}');
    body.bytes(count.codec);
    assert.equal(count.writes(), 1);
    assert.equal(body.wireType(count.codec), 'application/json');
  });

  test('numbers beyond 2^53 keep their digits when nobody looks', () => {
    const body = Body.bytes('{"id":12345678901234567890}', 'application/json');
    assert.equal(body.bytes(codec), '{"id":12345678901234567890}');
    void body.value(codec);
    assert.equal(body.bytes(codec), '{"id":12345678901234567890}');
  });

  test('a stream is collected when somebody looks, and can be read again', async () => {
    const { body } = streamOf(['{"a"', ':1}']);
    assert.equal(body.isStream, true);
    assert.deepEqual(await body.value(codec), { a: 1 });
    assert.equal(body.isStream, false);
    assert.equal(String(await body.bytes(codec)), '{"a":1}');
  });

  test('two looks at the same time collect once', async () => {
    const { body } = streamOf(['{"a"', ':1}']);
    const [first, second] = await Promise.all([body.value(codec), body.bytes(codec)]);
    assert.deepEqual(first, { a: 1 });
    assert.equal(String(second), '{"a":1}');
  });

  test('collecting stops at the limit and closes the stream', async () => {
    const announced = streamOf(['x'], 10, 11);
    await assert.rejects(async () => announced.body.bytes(codec), { code: 'too-large' });
    assert.equal(announced.stream.destroyed, true);
    const found = streamOf(['123456', '789012', '3'], 10);
    await assert.rejects(async () => found.body.bytes(codec), { code: 'too-large' });
    assert.equal(found.stream.destroyed, true);
  });

  test('a stream is given away once; looking at it afterwards is a mistake of ours, told as such', async () => {
    const { body, stream } = streamOf(['x']);
    assert.equal(body.takeStream()?.stream, stream);
    assert.equal(body.takeStream(), undefined);
    await assert.rejects(async () => body.bytes(codec), { code: 'bug' });
  });

  test('a stream is collected before it is sent on, unless the flow relays it', async () => {
    const { body } = streamOf(['{}']);
    assert.equal(body.mustSettle, true);
    await body.bytes(codec);
    assert.equal(body.mustSettle, false);
    const relayed = streamOf(['{}']);
    relayed.body.allowRelay();
    assert.equal(relayed.body.mustSettle, false);
  });

  test('a stream that nobody wants gives its connection back', () => {
    const { body, stream } = streamOf(['x']);
    body.discard();
    assert.equal(stream.destroyed, true);
  });

  test('nothing is nothing: no bytes, no value, no type', () => {
    for (const body of [Body.empty, Body.value(undefined), Body.bytes('', 'application/json')]) {
      assert.equal(body.isEmpty, true);
      assert.equal(body.value(codec), undefined);
      assert.equal(String(body.bytes(codec)), '');
    }
    assert.equal(Body.value(null).isEmpty, false);
  });
});
