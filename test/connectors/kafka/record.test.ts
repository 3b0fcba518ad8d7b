import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { headersOf, incomingOf } from '../../../connectors/kafka/record.ts';
import { type Batch, type Fetched, visibleRecords } from '../../../connectors/kafka/visible-records.ts';

const bytes = (text: string): Buffer => Buffer.from(text);
const binary = Buffer.from([0xff, 0xfe, 0x00]);

const record = (more: Partial<Fetched> = {}): Fetched => ({
  offset: 7n,
  timestamp: Date.UTC(2026, 0, 1),
  key: null,
  value: bytes('{}'),
  headers: [],
  bytes: 10,
  ...more,
});

describe('what a flow gets of a record', () => {
  test('names of headers are lower-case; one that comes several times is a list', () => {
    const headers = headersOf([
      [bytes('X-A'), bytes('1')],
      [bytes('x-b'), bytes('2')],
      [bytes('x-a'), bytes('3')],
      [bytes('X-a'), bytes('4')],
    ]);
    assert.deepEqual({ ...headers }, { 'x-a': ['1', '3', '4'], 'x-b': '2' });
  });

  test('a header that is no text is base64, one without a value is empty; names cannot reach a prototype', () => {
    const headers = headersOf([
      [bytes('x-bin'), binary],
      [bytes('x-none'), null],
      [bytes('__proto__'), bytes('p')],
    ]);
    assert.equal(headers['x-bin'], '//4A');
    assert.equal(headers['x-none'], '');
    assert.deepEqual(Object.keys(headers), ['x-bin', 'x-none', '__proto__']);
    assert.equal(({} as Record<string, unknown>)['p'], undefined);
  });

  test('a key that is no text is base64, and says so; none is none', () => {
    const source = (key: Buffer | null) => incomingOf({ topic: 't', index: 1 }, record({ key }), 'g', 0).origin.source;
    assert.deepEqual([source(bytes('ä'))?.['key'], source(bytes('ä'))?.['keyEncoding']], ['ä', undefined]);
    assert.deepEqual([source(binary)?.['key'], source(binary)?.['keyEncoding']], ['//4A', 'base64']);
    assert.equal('key' in (source(null) ?? {}), false);
    assert.equal(source(bytes(''))?.['key'], '');
  });

  test('the body does not keep what was fetched with it in memory', () => {
    const fetched = Buffer.alloc(1 << 20, 'x');
    const { body } = incomingOf({ topic: 't', index: 0 }, record({ value: fetched.subarray(5, 9) }), 'g', 0);
    const held = body.bytes({} as never) as Buffer;
    assert.equal(held.toString(), 'xxxx');
    assert.ok(held.buffer.byteLength < 1 << 20);
  });
});

describe('what of a log is to be seen', () => {
  const transactional = 1 << 4;
  const control = 1 << 5;
  const batch = (first: number, values: readonly string[], more: Partial<Batch> = {}): Batch => ({
    firstOffset: BigInt(first),
    lastOffsetDelta: values.length - 1,
    attributes: 0,
    firstTimestamp: 1000n,
    maxTimestamp: 5000n,
    producerId: -1n,
    records: values.map((value, index) => ({
      length: value.length,
      timestampDelta: BigInt(index),
      offsetDelta: index,
      key: null,
      value: bytes(value),
      headers: [],
    })),
    ...more,
  });
  const marker = (at: number, producerId: bigint, kind: 'abort' | 'commit'): Batch => {
    const made = batch(at, [''], { attributes: transactional | control, producerId });
    const key = Buffer.from([0, 0, 0, kind === 'abort' ? 0 : 1]);
    return { ...made, records: made.records.map((one) => ({ ...one, key })) };
  };
  const seen = (...given: Parameters<typeof visibleRecords>) => {
    const { records, next } = visibleRecords(...given);
    return [records.map((one) => `${one.offset} ${one.value}`), next] as const;
  };

  test('a broker sends whole batches: what stands before the position is left out', () => {
    assert.deepEqual(seen([batch(0, ['a', 'b', 'c'])], 2n, null), [['2 c'], 3n]);
  });

  test('in a compacted log it goes on behind the end of the batch, though its last records are gone', () => {
    const compacted = { ...batch(0, ['a']), lastOffsetDelta: 9 };
    assert.deepEqual(seen([compacted], 0n, null), [['0 a'], 10n]);
    assert.deepEqual(seen([{ ...batch(10, []), lastOffsetDelta: 4 }], 10n, null), [[], 15n]);
  });

  test('nothing came: it stays where it is', () => {
    assert.deepEqual(seen([], 4n, null), [[], 4n]);
  });

  test('what an aborted transaction wrote is left out, also when its end is not there yet', () => {
    const other = batch(2, ['x'], { attributes: transactional, producerId: 2n });
    const aborted = batch(0, ['a', 'b'], { attributes: transactional, producerId: 1n });
    const later = batch(5, ['c'], { attributes: transactional, producerId: 1n });
    const list = [{ producerId: 1n, firstOffset: 0n }];
    assert.deepEqual(seen([aborted, other], 0n, list), [['2 x'], 3n]);
    assert.deepEqual(seen([aborted, other, marker(3, 1n, 'abort'), marker(4, 2n, 'commit'), later], 0n, list), [
      ['2 x', '5 c'],
      6n,
    ]);
  });

  test('the time is the one of the record, or where the topic is set so the one at which the broker got it', () => {
    const times = (attributes: number) =>
      visibleRecords([batch(0, ['a', 'b'], { attributes })], 0n, null).records.map(({ timestamp }) => timestamp);
    assert.deepEqual(times(0), [1000, 1001]);
    assert.deepEqual(times(1 << 3), [5000, 5000]);
  });
});
