import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { FinishedSpan, SpansOrigin } from '../../../src/operations/tracing/finished-span.ts';
import { rejectedByJson, rejectedByProtobuf } from '../../../src/operations/tracing/otlp-answer.ts';
import { spansAsJson } from '../../../src/operations/tracing/otlp-json.ts';
import { spansAsProtobuf } from '../../../src/operations/tracing/otlp-protobuf.ts';
import { spansOfJson, spansOfProtobuf } from '../../support/otlp-decode.ts';

/** What OpenTelemetry's own exporter makes of the spans below: so the decoder of the tests is not only as right as our writer. */
const official = JSON.parse(readFileSync(new URL('../../fixtures/otlp/two-spans.json', import.meta.url), 'utf8')) as {
  readonly protobuf: string;
  readonly json: unknown;
};

const traceId = '0af7651916cd43dd8448eb211c80319c';
const origin: SpansOrigin = {
  resource: { 'service.name': 'shop', 'process.pid': 4711 },
  scope: { name: 'dowel', version: '1.2.3' },
};
const second = 1_767_225_600_000;
const spans: readonly FinishedSpan[] = [
  {
    traceId,
    id: 'b7ad6b7169203331',
    parent: '00f067aa0ba902b7',
    remoteParent: true,
    state: 'congo=t61rcWkgMzE',
    name: 'POST /orders',
    kind: 'server',
    start: second + 0.001,
    end: second + 1000.5,
    attributes: {
      'http.route': '/orders',
      'http.response.status_code': 500,
      big: 4_294_967_296,
      negative: -7,
      half: 0.5,
      yes: true,
      no: false,
      list: ['a', 'ü'],
      long: 'ä'.repeat(100),
      absent: undefined,
    },
    links: [],
    error: 'http-503',
  },
  {
    traceId,
    id: 'b9c7c989f97918e1',
    parent: 'b7ad6b7169203331',
    remoteParent: false,
    state: undefined,
    name: 'Charge the card',
    kind: 'internal',
    start: second + 0.002,
    end: second + 0.003,
    attributes: {},
    links: [],
    error: undefined,
  },
];

// A double knows milliseconds since the epoch to a quarter of a microsecond.
const rounded = (nanoseconds: bigint): bigint => (nanoseconds + 500n) / 1000n;
const comparable = (all: ReturnType<typeof spansOfProtobuf>): object =>
  all.map((span) => ({ ...span, start: rounded(span.start), end: rounded(span.end) }));

describe('spans as OTLP', () => {
  test('in Protocol Buffers they say what the official exporter says', () => {
    const expected = spansOfProtobuf(Buffer.from(official.protobuf, 'base64'));
    assert.equal(expected.length, 2);
    const written = spansOfProtobuf(Buffer.from(spansAsProtobuf(spans, origin)));
    assert.deepEqual(comparable(written), comparable(expected));
  });

  test('in JSON they say what the official exporter says', () => {
    const expected = spansOfJson(Buffer.from(JSON.stringify(official.json)));
    assert.equal(expected.length, 2);
    const written = spansOfJson(Buffer.from(spansAsJson(spans, origin)));
    assert.deepEqual(comparable(written), comparable(expected));
  });

  test('what they are linked to stands in both encodings, in its order', () => {
    const links = [
      { traceId, id: '1'.repeat(16) },
      { traceId: '2'.repeat(32), id: '3'.repeat(16) },
    ];
    const linked = spans.map((span) => ({ ...span, links }));
    const expected = links.map((link) => ({ ...link, flags: 1 }));
    for (const [read] of [
      spansOfProtobuf(Buffer.from(spansAsProtobuf(linked, origin))),
      spansOfJson(Buffer.from(spansAsJson(linked, origin))),
    ]) {
      assert.deepEqual(read?.links, expected);
      assert.equal(read?.name, 'POST /orders');
    }
  });

  test('many of them in one request, past the first buffer, keep their order', () => {
    const [first] = spans;
    assert.ok(first);
    const many = Array.from({ length: 3000 }, (_, index) => ({ ...first, name: `span ${index}` }));
    const names = spansOfProtobuf(Buffer.from(spansAsProtobuf(many, origin))).map(({ name }) => name);
    assert.deepEqual(
      names,
      many.map(({ name }) => name),
    );
  });

  test('what the receiver says it rejected is read from both encodings', () => {
    const nothing = { rejected: 0, why: '' };
    const message = Buffer.from('too old');
    const inner = Buffer.concat([Buffer.from([0x08, 0xac, 0x02, 0x12, message.length]), message]);
    const some = Buffer.concat([Buffer.from([0x0a, inner.length]), inner]);
    assert.deepEqual(rejectedByProtobuf(some), { rejected: 300, why: 'too old' });
    assert.deepEqual(rejectedByProtobuf(Buffer.alloc(0)), nothing);
    assert.deepEqual(rejectedByProtobuf(Buffer.from('<html>not a receiver</html>')), nothing);
    const json = Buffer.from('{"partialSuccess":{"rejectedSpans":"300","errorMessage":"too old"}}');
    assert.deepEqual(rejectedByJson(json), { rejected: 300, why: 'too old' });
    assert.deepEqual(rejectedByJson(Buffer.from('{}')), nothing);
    assert.deepEqual(rejectedByJson(Buffer.from('null')), nothing);
  });
});
