/** Against the examples of the specification: CloudEvents 1.0.2, its JSON format and its protocol bindings. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Body, type Headers } from '#sdk';
import { VirtualClock } from '../../src/core/clock.ts';
import { Exchange } from '../../src/core/exchange.ts';
import { Life } from '../../src/core/life.ts';
import type { EndpointEvents, EventBinding } from '../../src/events/options.ts';
import { received } from '../../src/events/receive.ts';
import { asEvent } from '../../src/events/send.ts';
import { codec } from '../../src/format/codec.ts';
import { plainContext } from '../support/plain-context.ts';

const http: EventBinding = { prefix: 'ce-', percentEncoded: true };
const mqtt: EventBinding = { prefix: '' };
const amqp: EventBinding = { prefix: 'cloudEvents_', accepts: ['cloudevents:', 'cloudevents_'] };
const kafka: EventBinding = { prefix: 'ce_' };
const nats: EventBinding = { prefix: 'ce-', percentEncoded: true, withContentType: true };

const { services: plain } = plainContext();
const services = { ...plain, codec };

function message(body: Body, headers: Readonly<Record<string, string>> = {}): Exchange {
  const clock = new VirtualClock();
  const named = Object.assign(Object.create(null), headers) as Headers;
  const origin = { receivedAt: 0, attempt: 1 };
  return Exchange.create({ id: 'm', flow: 'orders', services, life: new Life(clock), origin, body, headers: named });
}

const text = async (exchange: Exchange): Promise<string> => Buffer.from(await exchange.bytes()).toString();

const open = async (body: Body, headers: Readonly<Record<string, string>>, binding: EventBinding | undefined) => {
  const exchange = await received(message(body, headers), { required: true }, binding);
  return { event: { ...exchange.origin.event }, exchange };
};

const document = (json: unknown, type: string | undefined = 'application/cloudevents+json; charset=utf-8') =>
  open(Body.bytes(JSON.stringify(json), type), type === undefined ? {} : { 'content-type': type }, http);

const common = {
  specversion: '1.0',
  type: 'com.example.someevent',
  source: '/mycontext',
  time: '2018-04-05T17:31:00Z',
  comexampleextension1: 'value',
  comexampleothervalue: 5,
};

describe('structured mode, the examples of the JSON format', () => {
  it('binary data', async () => {
    const bytes = Uint8Array.of(0, 1, 254, 255);
    const datacontenttype = 'application/vnd.apache.thrift.binary';
    const data_base64 = Buffer.from(bytes).toString('base64');
    const { event, exchange } = await document({ ...common, id: 'A234-1234-1234', datacontenttype, data_base64 });
    assert.deepEqual(event, { ...common, id: 'A234-1234-1234', datacontenttype });
    assert.deepEqual(Buffer.from(await exchange.bytes()), Buffer.from(bytes));
    assert.equal(exchange.body.contentType, datacontenttype);
    assert.equal(exchange.headers['content-type'], datacontenttype);
  });

  it('XML as a text', async () => {
    const more = { unsetextension: null, datacontenttype: 'application/xml', data: '<much wow="xml"/>' };
    const { event, exchange } = await document({ ...common, id: 'B234-1234-1234', ...more });
    assert.deepEqual(event, { ...common, id: 'B234-1234-1234', datacontenttype: 'application/xml' });
    assert.equal(await text(exchange), '<much wow="xml"/>');
    assert.deepEqual(await exchange.value(), { much: { '@wow': 'xml' } });
  });

  it('a JSON object', async () => {
    const data = { appinfoA: 'abc', appinfoB: 123, appinfoC: true };
    const more = { subject: null, datacontenttype: 'application/json', data };
    const { event, exchange } = await document({ ...common, id: 'C234-1234-1234', ...more });
    assert.deepEqual(event, { ...common, id: 'C234-1234-1234', datacontenttype: 'application/json' });
    assert.deepEqual(await exchange.value(), data);
  });

  it('a JSON string without a content type: it stays a JSON string', async () => {
    const { exchange } = await document({ ...common, id: 'D234-1234-1234', data: "I'm just a string" });
    assert.equal(await exchange.value(), "I'm just a string");
    assert.equal(await text(exchange), '"I\'m just a string"');
    assert.equal(exchange.body.wireType(codec), 'application/json');
  });

  it('no data, and data that is null, are two things', async () => {
    const none = await document({ ...common, id: '1' });
    assert.equal(none.exchange.body.isEmpty, true);
    const nothing = await document({ ...common, id: '1', data: null });
    assert.equal(await text(nothing.exchange), 'null');
  });

  it('MQTT 3.1.1 implies the type of the document', async () => {
    const { event } = await document({ ...common, id: '1', data: {} }, undefined);
    assert.equal(event['id'], '1');
  });
});

describe('binary mode, the examples of the bindings', () => {
  const attributes = {
    specversion: '1.0',
    type: 'com.example.someevent',
    time: '2018-04-05T03:56:24Z',
    id: '1234-1234-1234',
    source: '/mycontext/subcontext',
  };
  const type = 'application/json; charset=utf-8';
  const wanted = { ...attributes, datacontenttype: type };
  const prefixed = (prefix: string): Record<string, string> =>
    Object.fromEntries(Object.entries(attributes).map(([name, value]) => [prefix + name, value]));

  const incoming: Readonly<Record<string, readonly [EventBinding, Readonly<Record<string, string>>]>> = {
    HTTP: [http, { ...prefixed('ce-'), 'content-type': type, host: 'webhook.example.com' }],
    Kafka: [kafka, { ...prefixed('ce_'), 'content-type': type }],
    'AMQP with `_`': [amqp, { ...prefixed('cloudevents_'), 'content-type': type }],
    'AMQP with `:`': [amqp, { ...prefixed('cloudevents:'), 'content-type': type }],
    'MQTT 5': [mqtt, { ...prefixed(''), datacontenttype: type, 'content-type': type }],
    NATS: [nats, { ...prefixed('ce-'), 'ce-datacontenttype': type }],
  };
  for (const [protocol, [binding, headers]] of Object.entries(incoming)) {
    it(`${protocol}: comes in`, async () => {
      const { event, exchange } = await open(Body.bytes('{"a":1}', headers['content-type']), headers, binding);
      assert.deepEqual(event, wanted);
      assert.deepEqual(await exchange.value(), { a: 1 });
    });
  }

  it('header values of HTTP: percent-encoded, once; quoted as older versions did', async () => {
    const decoded = async (value: string): Promise<unknown> => {
      const headers = { ...prefixed('ce-'), 'ce-subject': value };
      return (await open(Body.empty, headers, http)).event['subject'];
    };
    assert.equal(await decoded('Euro%20%E2%82%AC%20%F0%9F%98%80'), 'Euro € 😀');
    assert.equal(await decoded('Euro%20%e2%82%ac'), 'Euro €');
    assert.equal(await decoded('%41%2525'), 'A%25');
    assert.equal(await decoded('"a \\"b\\" c"'), 'a "b" c');
    await assert.rejects(decoded('%C0%A0'), { code: 'malformed' });
    await assert.rejects(decoded('100%'), { code: 'malformed' });
  });
});

describe('what is no event', () => {
  const headers = { 'content-type': 'application/json' };
  const plainBody = Body.bytes('{"a":1}', 'application/json');

  it('is malformed, unless events are not required: then it passes as it came', async () => {
    await assert.rejects(open(plainBody, headers, http), { code: 'malformed', kind: 'permanent', status: 400 });
    const exchange = message(plainBody, headers);
    assert.equal(await received(exchange, { required: false }, http), exchange);
  });

  const broken: Readonly<Record<string, readonly [unknown, RegExp]>> = {
    'no id': [{ ...common }, /it has no `id`/],
    'an empty source': [{ ...common, id: '1', source: '' }, /it has no `source`/],
    'another version': [{ ...common, id: '1', specversion: '0.3' }, /its version is "0.3", and only 1.0/],
    'a list': [[], /it is not a JSON object/],
    'an attribute that is a map': [{ ...common, id: '1', ext: {} }, /`ext` is not a simple value/],
    'data twice': [{ ...common, id: '1', data: 1, data_base64: '' }, /both `data` and `data_base64`/],
    'data that is not Base64': [{ ...common, id: '1', data_base64: '*' }, /not Base64/],
  };
  for (const [what, [json, wanted]] of Object.entries(broken)) {
    it(`${what} is malformed, required or not`, async () => {
      await assert.rejects(document(json), (error: Error) => wanted.test(error.message));
    });
  }

  it('batches and other formats are refused', async () => {
    await assert.rejects(document([], 'application/cloudevents-batch+json'), /a batch of events; send them one by one/);
    await assert.rejects(document({}, 'application/cloudevents+avro'), /its format is avro; send JSON/);
  });
});

describe('sending', () => {
  const send = (exchange: Exchange, options: EndpointEvents, binding?: EventBinding): Promise<Exchange> =>
    asEvent(exchange, { endpoint: 'out', integration: 'shop', options, binding });
  const saying = (exchange: Exchange, event: unknown): Exchange => exchange.with({ operation: { event } });
  const binary = { mode: 'binary', source: '/shop', type: 'order.placed' } as const;
  const structured = { mode: 'structured', source: '/shop', type: 'order.placed' } as const;
  const order = (): Exchange => message(Body.value({ orderId: 'A1' }));

  it('fills in what nobody says: id, source, time, content type', async () => {
    const sent = await send(order(), { mode: 'structured', type: 'order.placed' });
    const { id, time, ...rest } = (await sent.value()) as Readonly<Record<string, unknown>>;
    assert.match(String(id), /^[\da-f-]{36}$/);
    assert.match(String(time), /^2026-01-01T00:00:00/);
    assert.deepEqual(rest, {
      specversion: '1.0',
      source: '/shop/orders',
      type: 'order.placed',
      datacontenttype: 'application/json',
      data: { orderId: 'A1' },
    });
    assert.equal(sent.body.wireType(codec), 'application/cloudevents+json');
  });

  it('says what the step says', async () => {
    const event = {
      type: 'order.paid',
      subject: 'A1',
      id: 'e1',
      source: '/pay',
      time: '2026-02-03T04:05:06Z',
      dataschema: 'https://example.com/order.json',
      extensions: { tenant: 'acme', attempt: 2, nothing: undefined },
    };
    const sent = await send(saying(order(), event), binary, kafka);
    assert.deepEqual(
      { ...sent.ownHeaders },
      {
        ce_specversion: '1.0',
        ce_id: 'e1',
        ce_source: '/pay',
        ce_type: 'order.paid',
        ce_subject: 'A1',
        ce_time: '2026-02-03T04:05:06Z',
        ce_dataschema: 'https://example.com/order.json',
        ce_tenant: 'acme',
        ce_attempt: '2',
      },
    );
    assert.equal(sent.body.contentType, undefined);
    assert.deepEqual(await sent.value(), { orderId: 'A1' });
  });

  it('encodes headers as the binding of the protocol says', async () => {
    const said = saying(order(), { id: '1', subject: 'Euro € 😀', time: '"%' });
    const overHttp = await send(said, binary, http);
    assert.equal(overHttp.ownHeaders['ce-subject'], 'Euro%20%E2%82%AC%20%F0%9F%98%80');
    assert.equal(overHttp.ownHeaders['ce-time'], '%22%25');
    assert.equal((await send(said, binary, amqp)).ownHeaders['cloudEvents_subject'], 'Euro € 😀');
    assert.equal((await send(said, binary, mqtt)).ownHeaders['subject'], 'Euro € 😀');
    assert.equal((await send(said, binary, nats)).ownHeaders['ce-datacontenttype'], 'application/json');
  });

  it('puts text into documents as text, bytes as Base64', async () => {
    const data = async (body: Body): Promise<unknown> => {
      const {
        data: plainData,
        data_base64: base64,
        datacontenttype,
      } = (await (await send(message(body), structured)).value()) as Readonly<Record<string, unknown>>;
      return [plainData, base64, datacontenttype];
    };
    const xml = '<much wow="xml"/>';
    assert.deepEqual(await data(Body.bytes(xml, 'application/xml')), [xml, undefined, 'application/xml']);
    assert.deepEqual(await data(Body.bytes('ä', 'text/plain; charset=utf-8')), [
      'ä',
      undefined,
      'text/plain; charset=utf-8',
    ]);
    assert.deepEqual(await data(Body.bytes(Uint8Array.of(0xe4), 'text/plain')), [undefined, '5A==', 'text/plain']);
    assert.deepEqual(await data(Body.bytes(Uint8Array.of(0, 1), 'image/png')), [undefined, 'AAE=', 'image/png']);
    assert.deepEqual(await data(Body.bytes('[1]', 'application/vnd.a+json')), [
      [1],
      undefined,
      'application/vnd.a+json',
    ]);
    assert.deepEqual(await data(Body.empty), [undefined, undefined, undefined]);
  });

  it('is read again as it was, in both modes', async () => {
    const bodies = [
      Body.value({ a: [1, 'ä', null] }),
      Body.bytes('<a/>', 'application/xml'),
      Body.bytes(Uint8Array.of(0, 200), 'application/octet-stream'),
      Body.empty,
    ];
    for (const body of bodies) {
      for (const [options, binding] of [
        [structured, http],
        [binary, http],
        [binary, mqtt],
        [binary, nats],
      ] as const) {
        const sent = await send(
          saying(message(body), { subject: 'Ü 1', extensions: { tenant: 'x' } }),
          options,
          binding,
        );
        const wire = Body.bytes(Buffer.from(await sent.bytes()), sent.body.wireType(codec));
        const headers = Object.fromEntries(
          Object.entries(sent.ownHeaders).map(([name, value]) => [name.toLowerCase(), String(value)]),
        );
        const { event, exchange } = await open(wire, headers, binding);
        assert.deepEqual([event['subject'], event['tenant'], event['type']], ['Ü 1', 'x', 'order.placed']);
        assert.equal(await text(exchange), await text(message(body)));
      }
    }
  });

  it('refuses what no attribute may be', async () => {
    const refused = (event: unknown, why: RegExp): Promise<void> =>
      assert.rejects(send(saying(order(), event), binary, http), (error: Error) => why.test(error.message));
    await refused({ subject: 'a\nb' }, /`subject` holds characters/);
    await refused({ subject: { a: 1 } }, /`subject` is not text/);
    await refused({ extensions: { 'my-ext': 'x' } }, /"my-ext" has other characters than a-z and 0-9/);
    await refused({ extensions: { type: 'x' } }, /`type` is no extension/);
    const untyped = { mode: 'binary', source: '/shop' } as const;
    await assert.rejects(send(order(), untyped, http), { code: 'validation' });
  });
});
